"""Who is asking, by the token, the cookie, the API key or the ticket they show."""

import ipaddress
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import msgspec

from belfry.accounts.tokens import TokenRefused, Tokens, fingerprint
from belfry.errors import Forbidden, Unauthenticated
from belfry.settings import Settings
from belfry.together import Together
from db import Database
from db.queries import sessions, tickets
from db.queries.sessions import Principal

SEEN_AFTER = timedelta(minutes=1)  # a session in use is written to once a minute, not by each request

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Principals:
    """Looks at the session on every request, so that one that was ended ends now; many requests share one statement."""

    def __init__(self, db: Database, tokens: Tokens, settings: Settings) -> None:
        self._db = db
        self._tokens = tokens
        self._days = settings.session_days
        self._most_days = settings.session_most_days
        self._known: Together[int | bytes, Principal | None] = Together(self._read, default=None)

    async def by_token(self, token: str) -> Principal:
        """Who holds a signed token. Raises `Unauthenticated`."""
        try:
            session_id, expires_at = self._tokens.read(token)
        except TokenRefused:
            raise Unauthenticated("The token is not valid, or no longer.") from None
        found = await self._known.ask(session_id)
        if found is None:
            raise Unauthenticated("The token's session has ended.")
        return msgspec.structs.replace(found, expires_at=min(expires_at, found.expires_at))

    async def by_cookie(self, cookie: str) -> Principal:
        """Who holds a session cookie; a session in use is extended. Raises `Unauthenticated`."""
        found = await self._known.ask(fingerprint(cookie))
        if found is None or found.scopes is not None:
            raise Unauthenticated("The session has ended. Please log in again.")
        return found

    async def by_key(self, key: str, address: Address | None) -> Principal:
        """Whose API key this is, shown from an address.

        Raises:
            Unauthenticated: there is no such key, or no longer.
            Forbidden: it is not for this address.
        """
        found = await self._known.ask(fingerprint(key))
        if found is None or found.key is None:
            raise Unauthenticated("There is no such API key, or no longer.")
        if found.networks and not any(address is not None and address in _network(each) for each in found.networks):
            raise Forbidden(f"This API key may not be used from {address}.")
        return found

    async def by_ticket(self, ticket: str) -> Principal:
        """Who was given a stream ticket, which is used up by asking. Raises `Unauthenticated`."""
        async with self._db.statement() as tx:
            principal = await tickets.redeem(tx, fingerprint(ticket))
        if principal is None:
            raise Unauthenticated("The ticket is not valid, or no longer. Each opens one stream, once.")
        return principal

    async def _read(self, asked: Sequence[int | bytes]) -> dict[int | bytes, Principal | None]:
        ids = [each for each in asked if isinstance(each, int)]
        hashes = {each for each in asked if isinstance(each, bytes)}
        async with self._db.statement() as tx:
            found = await sessions.find(tx, ids=ids, hashes=list(hashes))
            # one that is known by a signed token is written to when that is refreshed
            used = [each.session_id for hashed, each in found if hashed in hashes and _long_ago(each.last_seen_at)]
            if used:
                await sessions.seen(tx, used, days=self._days, most_days=self._most_days)
        known: dict[int | bytes, Principal | None] = {each.session_id: each for _, each in found}
        return known | {hashed: each for hashed, each in found if hashed is not None}


def _long_ago(last_seen_at: datetime | None) -> bool:
    return last_seen_at is None or datetime.now(UTC) - last_seen_at > SEEN_AFTER


@lru_cache(4_096)
def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    return ipaddress.ip_network(text)
