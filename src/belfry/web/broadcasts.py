"""Saying something to everyone."""

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from belfry.errors import NotFound
from belfry.sending import publish
from belfry.web import fields
from belfry.web.given import must_be
from belfry.web.messages import Words
from belfry.web.problems import CHANGES, NEEDS_LOGIN, TAKES_JSON, documented
from belfry.web.sending import SENDING, Sending
from db import Database
from db.models import Channel, Role
from db.queries import broadcasts
from db.queries.broadcasts import Broadcast
from db.queries.notifications import Item
from db.queries.sessions import Principal


class NewBroadcast(Words, frozen=True, kw_only=True):
    channels: fields.Channels = msgspec.field(default_factory=lambda: [Channel.INBOX])


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
        """Accept a message for everyone who has an account now: one row; e-mails are created by a worker."""
        must_be(sending.me, Role.SENDER, Role.ADMIN)
        async with sending.db.begin() as tx:
            if (first := await sending.once.answered(tx, Item)) is not None:
                return first
            published = await publish.publish_broadcast(tx, data.message(data.channels), sender=sending.me)
            [item] = published.items
            await sending.once.keep(tx, item)
        sending.announcer.tell(published.messages)
        if Channel.EMAIL in data.channels:
            sending.bell.ring_expand(item.id)
        return item

    @get(responses=documented(*NEEDS_LOGIN, 403, 422), summary="List broadcasts")
    async def list_page(
        self,
        me: NamedDependency[Principal],
        db: NamedDependency[Database],
        cursor: fields.Place = fields.LARGEST_ID,
        page: fields.PageNumber = 1,
        page_size: fields.PageSize = 10,
    ) -> BroadcastPage:
        """All broadcasts, newest first, for senders and admins."""
        must_be(me, Role.SENDER, Role.ADMIN)
        async with db.statement() as tx:
            items = await broadcasts.page(tx, before=cursor, offset=(page - 1) * page_size, limit=page_size + 1)
        more = len(items) > page_size
        return BroadcastPage(items[:page_size], items[page_size - 1].id if more else None)

    @get("/{notification_id:int}", responses=documented(*NEEDS_LOGIN, 403, 404), summary="How far a broadcast got")
    async def one(
        self, notification_id: FromPath[int], me: NamedDependency[Principal], db: NamedDependency[Database]
    ) -> Broadcast:
        """How many users can see a broadcast, how many have read it, and what became of its e-mails."""
        must_be(me, Role.SENDER, Role.ADMIN)
        async with db.statement() as tx:
            broadcast = await broadcasts.one(tx, fields.storable(notification_id))
        if broadcast is None:
            raise NotFound("There is no such broadcast.")
        return broadcast
