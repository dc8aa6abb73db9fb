"""Sending notifications, and looking at them."""

from typing import Annotated

import msgspec
from litestar import Controller, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta

from belfry import log
from belfry.errors import BadInput, FieldError, NotFound
from belfry.inbox import changes, pages
from belfry.inbox.pages import Page, PageCache, Query
from belfry.intake import fields
from belfry.realtime.announce import Announcer
from belfry.sending import publish
from belfry.sending.messages import TimedWords
from belfry.web import parameters
from belfry.web.problems import CHANGES, NEEDS_LOGIN, TAKES_JSON, documented
from belfry.web.sending import SENDING, Sending
from belfry.web.throttling import limit_sends
from db import Database
from db.models import Channel
from db.queries import notifications
from db.queries.inbox import Kind, State
from db.queries.marks import Mark
from db.queries.notifications import Item, SentItem
from db.queries.paging import Paging
from db.queries.sessions import Principal

SEARCH = "A part of the title, in upper or lower case"


class NewNotification(TimedWords, frozen=True, kw_only=True):
    to: Annotated[fields.Recipient | None, Meta(description="A user's id or e-mail address; left out: oneself")] = None
    channels: fields.Channels = msgspec.field(default_factory=lambda: [Channel.INBOX, Channel.EMAIL])


class NewBatch(TimedWords, frozen=True, kw_only=True):
    to: Annotated[list[fields.Recipient], Meta(min_length=1, max_length=fields.MANY)]
    channels: fields.Channels = msgspec.field(default_factory=lambda: [Channel.INBOX, Channel.EMAIL])


class Accepted(msgspec.Struct, frozen=True):
    """The notifications made, one a recipient, in the order the recipients were first named."""

    ids: list[int]


class SentPage(msgspec.Struct, frozen=True):
    items: list[SentItem]
    next_cursor: int | None


class NotificationController(Controller):
    path = "/v1/notifications"
    tags = ["Notifications"]
    dependencies = SENDING

    @post(
        status_code=202,
        middleware=[limit_sends],
        responses=documented(*NEEDS_LOGIN, *TAKES_JSON, CHANGES, 429),
        summary="Send a notification",
    )
    async def send(self, data: JSONBody[NewNotification], sending: NamedDependency[Sending]) -> Item:
        """Accept a notification. Once this returns, it is in the inbox and its e-mail will be tried.

        With `send_at` that is then: until it is due, only its sender sees it.
        """
        message = data.message(data.channels)
        async with sending.writing() as tx:
            if (first := await sending.once.answered(tx, Item)) is not None:
                return first
            item, messages = await publish.publish_to(tx, message, to=data.to, sender=sending.me)
            await sending.once.keep(tx, item)
        log.about(notification_id=item.id)
        sending.announcer.tell(messages)  # best effort, as the next line; what is lost is found by a check or a sweep
        sending.ring(message)
        return item

    @post(
        "/batch",
        status_code=202,
        middleware=[limit_sends],
        responses=documented(*NEEDS_LOGIN, *TAKES_JSON, CHANGES, 429),
        summary="Send to many",
    )
    async def send_batch(
        self,
        data: JSONBody[NewBatch],
        sending: NamedDependency[Sending],
    ) -> Accepted:
        """Accept one message for up to 1,000 recipients: all of them, or with one unknown recipient none."""
        message = data.message(data.channels)
        async with sending.db.begin() as tx:
            if (first := await sending.once.answered(tx, Accepted)) is not None:
                return first
            to = await publish.recipients(tx, data.to, sender=sending.me)
            published = await publish.publish(tx, message, to=to, sender=sending.me)
            accepted = Accepted([item.id for item in published.items])
            await sending.once.keep(tx, accepted)
        log.about(notification_ids=accepted.ids)
        sending.announcer.tell(published.messages)
        sending.ring(message)
        return accepted

    @get(responses=documented(*NEEDS_LOGIN, 422), summary="List the inbox")
    async def list_page(
        self,
        me: NamedDependency[Principal],
        db: NamedDependency[Database],
        cache: NamedDependency[PageCache],
        kind: Annotated[Kind, QueryParameter(name="type")] = "all",
        in_state: Annotated[State, QueryParameter(name="state")] = "all",
        q: Annotated[
            str | None, QueryParameter(min_length=1, max_length=255, pattern=fields.STORABLE, description=SEARCH)
        ] = None,
        cursor: Annotated[str | None, QueryParameter(max_length=100, description="`next_cursor` of a page")] = None,
        page: parameters.PageNumber = 1,
        page_size: parameters.PageSize = 10,
    ) -> Page:
        """Personal notifications and broadcasts together, newest first.

        With `q`, those with these words in the title. One request looks through 5,000 items at most: a page may be
        shorter than asked for, or empty, while `next_cursor` leads on.
        """
        if cursor is not None and page != 1:
            raise BadInput(FieldError("page", "a page is named by its cursor or by its number, not by both"))
        if q is not None and page != 1:
            raise BadInput(FieldError("page", "the pages of a search are named by their cursors"))
        if q is not None and "\0" in q:
            raise BadInput(FieldError("q", "expected text without control characters"))
        after = None if cursor is None else pages.place(cursor)
        query = Query(kind, in_state, after, (page - 1) * page_size, page_size, q)
        return await pages.read(db, cache, me.user_id, query)

    @get("/sent", responses=documented(*NEEDS_LOGIN, 422), summary="What I sent")
    async def sent(
        self,
        me: NamedDependency[Principal],
        db: NamedDependency[Database],
        paging: NamedDependency[Paging],
    ) -> SentPage:
        """What one has sent to single recipients, newest first, with the status of the e-mail."""
        async with db.statement() as tx:
            items = await notifications.sent(tx, paging, me.user_id)
        return SentPage(*paging.cut(items))

    @get("/{notification_id:int}", responses=documented(*NEEDS_LOGIN, 404), summary="Look at one")
    async def one(
        self, notification_id: FromPath[int], me: NamedDependency[Principal], db: NamedDependency[Database]
    ) -> Item:
        """For its recipient and its sender. `status` is that of the e-mail: pending, processing, sent, failed...

        What is scheduled is there for its sender only.
        """
        async with db.statement() as tx:
            item = await notifications.one(tx, parameters.storable(notification_id), user_id=me.user_id)
        if item is None:
            raise NotFound("There is no such notification.")
        return item

    @delete(
        "/{notification_id:int}",
        status_code=204,
        responses=documented(*NEEDS_LOGIN, CHANGES, 404),
        summary="Delete one",
    )
    async def remove(
        self,
        notification_id: FromPath[int],
        me: NamedDependency[Principal],
        db: NamedDependency[Database],
        announcer: NamedDependency[Announcer],
    ) -> None:
        """Take it out of one's own inbox. A broadcast stays in everybody else's."""
        async with db.begin() as tx:
            marked = await changes.mark(tx, me.user_id, Mark.DELETED, [parameters.storable(notification_id)])
        if marked.message is None:
            raise NotFound("There is no such notification in your inbox.")
        announcer.tell([marked.message])
