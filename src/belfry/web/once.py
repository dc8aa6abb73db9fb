"""The `Idempotency-Key` header of routes that send."""

from typing import Annotated

from litestar import Request
from litestar.datastructures import State
from litestar.di import Provide
from litestar.params import HeaderParameter

from belfry.sending import idempotency
from belfry.sending.idempotency import Once
from db.queries.sessions import Principal

IdempotencyKey = Annotated[
    str | None,
    HeaderParameter(
        name="Idempotency-Key",
        min_length=1,
        max_length=idempotency.LONGEST,
        pattern=r"^[\x21-\x7e]+$",
        description="Repeat a request with the same key and body, and it has one effect and one answer.",
    ),
]


async def _once(request: Request[Principal, None, State], idempotency_key: IdempotencyKey = None) -> Once:
    return Once(request.user.user_id, request.url.path, idempotency_key, await request.body())


ONCE = {"once": Provide(_once)}
