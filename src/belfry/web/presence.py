"""Who is here."""

import msgspec
from litestar import Controller, get
from litestar.di import NamedDependency

from belfry.realtime.presence import Presence
from belfry.web.problems import NEEDS_LOGIN, documented
from db import Database
from db.queries import users


class Present(msgspec.Struct, frozen=True):
    """A user and how many streams that user has open."""

    user_id: int
    email: str
    streams: int


class PresenceController(Controller):
    path = "/v1/presence"
    tags = ["Stream"]

    @get(responses=documented(*NEEDS_LOGIN, 403), summary="Who is here?")
    async def present(self, db: NamedDependency[Database], presence: NamedDependency[Presence[int]]) -> list[Present]:
        """Who has a stream open in any process, for admins; up to half a second old. 503 while Redis is away."""
        streams = await presence.streams()
        async with db.statement() as tx:
            return [Present(id_, email, streams[id_]) for id_, email in await users.emails(tx, streams)]
