"""Who is asking, by the token, the cookie or the ticket they show."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from belfry.accounts.tokens import TokenRefused, Tokens, fingerprint
from belfry.errors import Unauthenticated
from belfry.together import Together
from db import Database
from db.queries import sessions, tickets
from db.queries.sessions import Principal

SLIDE_AFTER = timedelta(hours=1)  # a session in use is extended by one write an hour, not by one a request


class Principals:
    """Looks at the session on every request, so that one that was ended ends now; many requests share one statement."""

    def __init__(self, db: Database, tokens: Tokens, *, session_days: int) -> None:
        self._db = db
        self._tokens = tokens
        self._session_days = session_days
        self._by_session: Together[int, Principal | None] = Together(self._read, default=None)

    async def by_token(self, token: str) -> Principal:
        """Who holds a signed token. Raises `Unauthenticated`."""
        try:
            session_id, expires_at = self._tokens.read(token)
        except TokenRefused:
            raise Unauthenticated("The token is not valid, or no longer.") from None
        principal = await self._by_session.ask(session_id)
        if principal is None:
            raise Unauthenticated("The token's session has ended.")
        return msgspec.structs.replace(principal, expires_at=min(expires_at, principal.expires_at))

    async def by_cookie(self, cookie: str) -> Principal:
        """Who holds a session cookie; a session in use is extended. Raises `Unauthenticated`."""
        async with self._db.statement() as tx:
            principal = await sessions.by_token(tx, fingerprint(cookie))
            if principal is None:
                raise Unauthenticated("The session has ended. Please log in again.")
            if datetime.now(UTC) - principal.last_seen_at > SLIDE_AFTER:
                await sessions.extend(tx, principal.session_id, days=self._session_days)
        return principal

    async def by_ticket(self, ticket: str) -> Principal:
        """Who was given a stream ticket, which is used up by asking. Raises `Unauthenticated`."""
        async with self._db.statement() as tx:
            principal = await tickets.redeem(tx, fingerprint(ticket))
        if principal is None:
            raise Unauthenticated("The ticket is not valid, or no longer. Each opens one stream, once.")
        return principal

    async def _read(self, session_ids: Sequence[int]) -> dict[int, Principal | None]:
        async with self._db.statement() as tx:
            return {principal.session_id: principal for principal in await sessions.by_ids(tx, session_ids)}
