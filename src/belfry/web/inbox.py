"""The inbox: its list, its badge, and marking what is in it."""

from typing import Annotated

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, QueryParameter

from belfry.errors import BadInput, FieldError
from belfry.inbox import changes, pages
from belfry.inbox.pages import Page, PageCache, Query
from belfry.realtime.announce import Announcer
from belfry.web import fields
from belfry.web.fields import Body
from belfry.web.problems import documented
from db import Database
from db.queries import inbox
from db.queries.inbox import Kind, State
from db.queries.marks import Mark
from db.queries.sessions import Principal

LAST_PAGE = 10_000  # further down, a cursor is the way


class Ids(Body, frozen=True, kw_only=True):
    ids: fields.Ids


class Chosen(Body, frozen=True, kw_only=True):
    """Items by id, or an item and all that stands below it in the list: exactly one of the two."""

    ids: fields.Ids | None = None
    through: fields.Id | None = None


class Unread(msgspec.Struct, frozen=True):
    """The badge: unread personal notifications and broadcasts."""

    unread: int


class InboxController(Controller):
    path = "/v1/notifications"
    tags = ["Inbox"]

    @get(responses=documented(401, 422), summary="List the inbox")
    async def list_page(
        self,
        me: NamedDependency[Principal],
        db: NamedDependency[Database],
        cache: NamedDependency[PageCache],
        kind: Annotated[Kind, QueryParameter(name="type")] = "all",
        state: Annotated[State, QueryParameter()] = "all",
        cursor: Annotated[str | None, QueryParameter(max_length=100, description="`next_cursor` of a page")] = None,
        page: Annotated[int, QueryParameter(ge=1, le=LAST_PAGE)] = 1,
        page_size: Annotated[int, QueryParameter(ge=1, le=100)] = 10,
    ) -> Page:
        """Personal notifications and broadcasts together, newest first."""
        if cursor is not None and page != 1:
            raise BadInput(FieldError("page", "a page is named by its cursor or by its number, not by both"))
        after = None if cursor is None else pages.place(cursor)
        query = Query(kind, state, after, (page - 1) * page_size, page_size)
        return await pages.read(db, cache, me.user_id, query)

    @get("/unread-count", responses=documented(401), summary="The badge")
    async def unread_count(self, me: NamedDependency[Principal], db: NamedDependency[Database]) -> Unread:
        async with db.statement() as tx:
            return Unread((await inbox.position(tx, me.user_id)).total)

    @post("/read", status_code=200, responses=documented(400, 401, 403, 415, 422), summary="Mark read")
    async def read(
        self,
        data: JSONBody[Chosen],
        me: NamedDependency[Principal],
        db: NamedDependency[Database],
        announcer: NamedDependency[Announcer],
    ) -> Unread:
        """Mark items read. Ids that are not one's own are ignored."""
        return await _mark(Mark.READ, data, me, db, announcer)

    @post("/unread", status_code=200, responses=documented(400, 401, 403, 415, 422), summary="Mark unread")
    async def unread(
        self,
        data: JSONBody[Ids],
        me: NamedDependency[Principal],
        db: NamedDependency[Database],
        announcer: NamedDependency[Announcer],
    ) -> Unread:
        return await _mark(Mark.UNREAD, Chosen(ids=data.ids), me, db, announcer)

    @post("/delete", status_code=200, responses=documented(400, 401, 403, 415, 422), summary="Delete")
    async def remove(
        self,
        data: JSONBody[Chosen],
        me: NamedDependency[Principal],
        db: NamedDependency[Database],
        announcer: NamedDependency[Announcer],
    ) -> Unread:
        """Take items out of one's own inbox. Broadcasts stay in everybody else's."""
        return await _mark(Mark.DELETED, data, me, db, announcer)


async def _mark(how: Mark, chosen: Chosen, me: Principal, db: Database, announcer: Announcer) -> Unread:
    async with db.begin() as tx:
        match chosen:
            case Chosen(ids=list() as ids, through=None):
                marked = await changes.mark(tx, me.user_id, how, ids)
            case Chosen(ids=None, through=int() as through):
                marked = await changes.mark_through(tx, me.user_id, how, through)
            case _:
                raise BadInput(FieldError("ids", "expected exactly one of `ids` and `through`"))
    if marked.message is not None:
        announcer.tell([marked.message])
    return Unread(marked.unread)
