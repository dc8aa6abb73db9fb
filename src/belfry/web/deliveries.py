"""E-mails that failed, of whatever notification, for admins."""

from typing import Annotated

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Meta

from belfry.errors import BadInput, FieldError
from belfry.intake import fields
from belfry.intake.fields import Body
from belfry.sending.bell import QueueBell
from belfry.web.languages import retold
from belfry.web.problems import CHANGES, NEEDS_LOGIN, TAKES_JSON, documented
from db import Database
from db.queries import control, failures
from db.queries.failures import FailedDelivery
from db.queries.paging import Paging


class Span(Body, frozen=True, kw_only=True):
    """A span of time: from a moment on, and until before another."""

    from_: Annotated[fields.Moment, Meta(description="The first moment")] = msgspec.field(name="from")
    to: Annotated[fields.Moment, Meta(description="The first moment that is no longer in it")]


class Retried(msgspec.Struct, frozen=True):
    """How many deliveries will be tried again."""

    retried: int


class FailedPage(msgspec.Struct, frozen=True):
    items: list[FailedDelivery]
    next_cursor: int | None


class DeliveryController(Controller):
    path = "/v1/deliveries"
    tags = ["Deliveries"]

    @get("/failed", responses=documented(*NEEDS_LOGIN, 403, 422), summary="List failed e-mails")
    async def failed(
        self, db: NamedDependency[Database], paging: NamedDependency[Paging], language: NamedDependency[str]
    ) -> FailedPage:
        """E-mails of notifications that failed for good, the newest first, with what the mail server said last."""
        async with db.statement() as tx:
            found = await failures.page(tx, paging)
        return FailedPage(*paging.cut([retold(each, language, "reason", "said") for each in found]))

    @post("/retry", status_code=200, responses=documented(*NEEDS_LOGIN, *TAKES_JSON, CHANGES), summary="Try all again")
    async def retry(
        self,
        data: JSONBody[Span],
        db: NamedDependency[Database],
        bell: NamedDependency[QueueBell],
    ) -> Retried:
        """Send all e-mails again that failed in a span of time, after an outage for example. For admins."""
        from_, to = fields.utc("from", data.from_), fields.utc("to", data.to)
        if to <= from_:
            raise BadInput(FieldError("to", "must be after `from`"))
        after = retried = 0
        while True:
            async with db.begin() as tx:
                some = await control.retry_failed(tx, from_=from_, to=to, after=after)
            if some.count == 0:
                return Retried(retried)
            after, retried = some.last, retried + some.count
            bell.ring()
