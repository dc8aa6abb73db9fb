"""Belfry's own web service, but that nobody is asked who they are, and no position is read: what a stream costs then.

Run as `python -m tests.bench.streams.unchecked --fd N`.
"""

import socket
import sys
from datetime import UTC, datetime, timedelta
from itertools import count
from unittest.mock import patch

from litestar.connection import ASGIConnection
from litestar.middleware import AuthenticationResult

import belfry.app
import belfry.realtime.live
from belfry.realtime.resume import NOTHING, Reader, Wanted
from belfry.server import make_server
from belfry.settings import Settings
from belfry.web.identify import Identify
from db.models import Role
from db.queries.inbox import Position
from db.queries.sessions import Principal

USERS = count(1)


class Anybody(Identify):
    async def authenticate_request(self, connection: ASGIConnection) -> AuthenticationResult:  # type: ignore[type-arg]
        number, now = next(USERS), datetime.now(UTC)
        return AuthenticationResult(
            user=Principal(number, "", "", Role.MEMBER, number, now + timedelta(days=1), now), auth=None
        )


class Untold(Reader):
    async def _serve(self, waiting: list[Wanted]) -> None:
        for wanted in waiting:
            position = Position(
                user_id=wanted.stream.user_id,
                modseq=0,
                floor=0,
                unread=0,
                broadcast_modseq=self._hub.broadcasts,
                broadcast_floor=0,
                broadcasts_from=0,
                broadcasts_unread=0,
            )
            self._tell(wanted, position, NOTHING)

    async def check_positions(self) -> None:
        pass


def main(fd: int) -> None:
    with patch.object(belfry.app, "Identify", Anybody), patch.object(belfry.realtime.live, "Reader", Untold):
        server = make_server(Settings.from_env())
    server.run([socket.socket(fileno=fd)])


if __name__ == "__main__":
    main(int(sys.argv[-1]))
