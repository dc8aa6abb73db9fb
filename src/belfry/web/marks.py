"""The badge, and marking what is in the inbox."""

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from belfry.errors import BadInput, FieldError
from belfry.inbox import changes
from belfry.intake import fields
from belfry.intake.fields import Body
from belfry.realtime.announce import Announcer
from belfry.web.problems import CHANGES, NEEDS_LOGIN, TAKES_JSON, documented
from db import Database
from db.queries import inbox
from db.queries.marks import Mark
from db.queries.sessions import Principal


class Ids(Body, frozen=True, kw_only=True):
    ids: fields.Ids


class Chosen(Body, frozen=True, kw_only=True):
    """Items by id, or an item and all that stands below it in the list: exactly one of the two."""

    ids: fields.Ids | None = None
    through: fields.Id | None = None


class Unread(msgspec.Struct, frozen=True):
    """The badge: unread personal notifications and broadcasts."""

    unread: int


class MarkController(Controller):
    path = "/v1/notifications"
    tags = ["Inbox"]

    @get("/unread-count", responses=documented(*NEEDS_LOGIN), summary="The badge")
    async def unread_count(self, me: NamedDependency[Principal], db: NamedDependency[Database]) -> Unread:
        """How many personal notifications and broadcasts are unread."""
        async with db.statement() as tx:
            return Unread((await inbox.position(tx, me.user_id)).total)

    @post("/read", status_code=200, responses=documented(*NEEDS_LOGIN, *TAKES_JSON, CHANGES), summary="Mark read")
    async def read(
        self,
        data: JSONBody[Chosen],
        me: NamedDependency[Principal],
        db: NamedDependency[Database],
        announcer: NamedDependency[Announcer],
    ) -> Unread:
        """Mark items read. Ids that are not one's own are ignored."""
        return await _mark(Mark.READ, data, me, db, announcer)

    @post("/unread", status_code=200, responses=documented(*NEEDS_LOGIN, *TAKES_JSON, CHANGES), summary="Mark unread")
    async def unread(
        self,
        data: JSONBody[Ids],
        me: NamedDependency[Principal],
        db: NamedDependency[Database],
        announcer: NamedDependency[Announcer],
    ) -> Unread:
        """Mark items unread again. Ids that are not one's own are ignored."""
        return await _mark(Mark.UNREAD, Chosen(ids=data.ids), me, db, announcer)

    @post("/delete", status_code=200, responses=documented(*NEEDS_LOGIN, *TAKES_JSON, CHANGES), summary="Delete")
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
