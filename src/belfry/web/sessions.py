"""Where one is logged in, and ending it."""

from datetime import datetime

import msgspec
from litestar import Controller, Response, delete, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from belfry.errors import NotFound
from belfry.realtime.announce import Announcer
from belfry.realtime.frames import SessionEnded
from belfry.settings import Settings
from belfry.web import parameters
from belfry.web.auth import recently, session_cookie
from belfry.web.problems import CHANGES, NEEDS_LOGIN, documented
from db import Database
from db.models import Action
from db.queries import audit, sessions
from db.queries.sessions import Principal


class LoginItem(msgspec.Struct, frozen=True):
    """A login. `current` is the one that asks; `last_seen_at` is exact to a minute in browsers, else to a refresh."""

    id: int
    current: bool
    user_agent: str
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime


class SessionController(Controller):
    path = "/v1/sessions"
    tags = ["Accounts"]

    @get(responses=documented(*NEEDS_LOGIN, 403), summary="Where am I logged in?")
    async def mine(self, me: NamedDependency[Principal], db: NamedDependency[Database]) -> list[LoginItem]:
        """All one's logins, of browsers and of programs, the one used last first."""
        async with db.statement() as tx:
            devices = await sessions.devices(tx, me.user_id)
        return [LoginItem(current=each.id == me.session_id, **msgspec.structs.asdict(each)) for each in devices]

    @delete(status_code=204, responses=documented(*NEEDS_LOGIN, CHANGES), summary="Log out everywhere")
    async def end_all(
        self,
        me: NamedDependency[Principal],
        db: NamedDependency[Database],
        announcer: NamedDependency[Announcer],
        settings: NamedDependency[Settings],
    ) -> Response[None]:
        """End all one's logins, this one too, with their streams. API keys stay; they are revoked one by one.

        For a login that showed its password a short while ago.
        """
        recently(me, settings)
        async with db.begin() as tx:
            ended = await sessions.close_all(tx, me.user_id)
            await audit.record(tx, Action.SESSIONS_ENDED, actor=me, subject=me.email, ended=len(ended))
        announcer.tell([SessionEnded(me.user_id, session_id) for session_id in ended])
        return Response(None, cookies=[session_cookie(settings, "", 0)])

    @delete(
        "/{session_id:int}",
        status_code=204,
        responses=documented(*NEEDS_LOGIN, CHANGES, 404),
        summary="Log out somewhere",
    )
    async def end(
        self,
        session_id: FromPath[int],
        me: NamedDependency[Principal],
        db: NamedDependency[Database],
        announcer: NamedDependency[Announcer],
        settings: NamedDependency[Settings],
    ) -> None:
        """End one of one's logins, with its streams. Of another than this one: see above."""
        if session_id != me.session_id:
            recently(me, settings)
        async with db.begin() as tx:
            if not await sessions.close(tx, parameters.storable(session_id, "login"), user_id=me.user_id):
                raise NotFound("You have no such login.")
            await audit.record(tx, Action.LOGGED_OUT, actor=me, subject=me.email, session=session_id)
        announcer.tell([SessionEnded(me.user_id, session_id)])
