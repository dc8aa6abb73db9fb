"""Tickets: how a page that cannot send a header, nor our cookie, opens a stream."""

import msgspec
from litestar import Controller, Response, post
from litestar.di import NamedDependency

from belfry.accounts.tokens import fingerprint, opaque
from belfry.errors import Unauthenticated
from belfry.web.problems import CHANGES, NEEDS_LOGIN, documented
from db import Database
from db.queries import tickets
from db.queries.sessions import Principal

SECONDS = 30  # a ticket stands in a URL, which proxies log: it is worthless before anybody reads that


class Ticket(msgspec.Struct, frozen=True):
    """For `GET /v1/stream?ticket=...`; `expires_in` is in seconds."""

    ticket: str
    expires_in: int


class TicketController(Controller):
    path = "/v1/stream/tickets"
    tags = ["Stream"]

    @post(responses=documented(*NEEDS_LOGIN, CHANGES), summary="Get a ticket for a stream")
    async def issue(self, me: NamedDependency[Principal], db: NamedDependency[Database]) -> Response[Ticket]:
        """A ticket opens one stream, once, as the caller. The stream ends when this login does."""
        ticket = opaque()
        async with db.begin() as tx:
            issued = await tickets.issue(
                tx,
                me.session_id,
                token_hash=fingerprint(ticket),
                login_expires_at=me.expires_at,
                seconds=SECONDS,
            )
        if not issued:
            raise Unauthenticated("The session has ended. Please log in again.")
        return Response(Ticket(ticket, SECONDS), headers={"cache-control": "no-store"})
