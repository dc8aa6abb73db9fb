"""Saying something to everyone."""

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from belfry import log
from belfry.errors import NotFound
from belfry.sending import broadcasts as broadcasting
from belfry.sending.messages import NewBroadcast
from belfry.web import parameters
from belfry.web.problems import CHANGES, NEEDS_LOGIN, TAKES_JSON, documented
from belfry.web.sending import SENDING, Sending
from db import Database
from db.queries import broadcasts
from db.queries.broadcasts import Broadcast
from db.queries.notifications import Item
from db.queries.paging import Paging


class BroadcastPage(msgspec.Struct, frozen=True):
    items: list[Broadcast]
    next_cursor: int | None


class BroadcastController(Controller):
    path = "/v1/broadcasts"
    tags = ["Broadcasts"]
    dependencies = SENDING

    @post(status_code=202, responses=documented(*NEEDS_LOGIN, *TAKES_JSON, CHANGES), summary="Broadcast")
    async def send(
        self,
        data: JSONBody[NewBroadcast],
        sending: NamedDependency[Sending],
    ) -> Item:
        """Accept a message for everyone who has an account now, or at `send_at`: one row.

        Its e-mails are created by a worker.
        """
        async with sending.writing() as tx:
            item, published = await broadcasting.accept(tx, data, sender=sending.me, once=sending.once, by="request")
        log.about(notification_id=item.id)
        published.tell(sending.announcer, sending.bell)
        return item

    @get(responses=documented(*NEEDS_LOGIN, 403, 422), summary="List broadcasts")
    async def list_page(
        self,
        db: NamedDependency[Database],
        paging: NamedDependency[Paging],
    ) -> BroadcastPage:
        """All broadcasts, newest first, for senders and admins."""
        async with db.statement() as tx:
            items = await broadcasts.page(tx, paging)
        return BroadcastPage(*paging.cut(items))

    @get("/{notification_id:int}", responses=documented(*NEEDS_LOGIN, 403, 404), summary="How far a broadcast got")
    async def one(self, notification_id: FromPath[int], db: NamedDependency[Database]) -> Broadcast:
        """How many users can see a broadcast, how many have read it, and how far its e-mails got.

        While they are sent, the sender's streams say so by events `progress`.
        """
        async with db.statement() as tx:
            broadcast = await broadcasts.one(tx, parameters.storable(notification_id))
        if broadcast is None:
            raise NotFound("There is no such broadcast.")
        return broadcast
