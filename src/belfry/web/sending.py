"""What the routes that send have in common, the `Idempotency-Key` header first of all."""

from contextlib import AbstractAsyncContextManager
from typing import Annotated

import msgspec
from litestar import Request
from litestar.datastructures import State
from litestar.di import Provide
from litestar.params import HeaderParameter

from belfry.intake import fields
from belfry.realtime.announce import Announcer
from belfry.sending.bell import QueueBell
from belfry.sending.idempotency import Once
from belfry.web.given import Given
from db import Database, Tx
from db.queries.notifications import Message
from db.queries.sessions import Principal

IdempotencyKey = Annotated[
    str | None,
    HeaderParameter(
        name="Idempotency-Key",
        min_length=1,
        max_length=fields.LONGEST_KEY,
        pattern=fields.KEY,
        description="Repeat a request with the same key and body, and it has one effect and one answer.",
    ),
]


class Sending(msgspec.Struct, frozen=True):
    """What a route that sends works with: one thing to ask for, where asking for each costs a tenth of a send."""

    me: Principal
    once: Once
    db: Database
    announcer: Announcer
    bell: QueueBell

    def writing(self) -> AbstractAsyncContextManager[Tx]:
        """For what is a single statement, which commits by itself, unless a key is to be kept with it."""
        return self.db.begin() if self.once.key else self.db.statement()

    def ring(self, message: Message) -> None:
        """Tell the workers of its e-mails or its time to come. Best effort: what is lost here is found by a sweep."""
        if message.send_at is None:
            self.bell.ring()
        else:
            self.bell.ring_at(message.send_at)


async def _sending(request: Request[Principal, None, State], idempotency_key: IdempotencyKey = None) -> Sending:
    given: Given = request.app.state.given
    once = Once(request.user.user_id, request.scope["path"], idempotency_key, await request.body())
    return Sending(request.user, once, given.db, given.announcer, given.bell)


SENDING = {"sending": Provide(_sending)}
