"""Rotating refresh tokens, as RFC 9700, section 4.14.2 asks for.

Each token is used once and makes the next. One that comes a second time is in two hands, and nobody can say whose is
the thief's: the whole login ends. But answers get lost, and two threads of a client may refresh at once: within
`TOLERANCE`, and only while the next one has not been used, a token gets the same answer again. That hides no theft:
thief and owner then hold the same next token, and the second of them to use it later than that is found.
"""

from datetime import timedelta

import msgspec

from belfry.accounts.tokens import Tokens, fingerprint
from belfry.errors import Unauthenticated
from belfry.settings import Settings
from db import Database
from db.models import Action
from db.queries import audit, refresh_tokens, sessions
from db.queries.refresh_tokens import Family

TOLERANCE = timedelta(seconds=10)


class Refreshed(msgspec.Struct, frozen=True):
    access_token: str
    refresh_token: str


class Reused(msgspec.Struct, frozen=True):
    """The token had been used before, and its login was ended."""

    user_id: int
    session_id: int


async def refresh(db: Database, tokens: Tokens, settings: Settings, token: str) -> Refreshed | Reused:
    """Use a refresh token up for a new pair. Raises `Unauthenticated` for one that is not ours, or no longer."""
    hashed = fingerprint(token)
    successors = {fingerprint(each): each for each in tokens.successors(token)}
    async with db.begin() as tx:
        family = await refresh_tokens.lock(tx, hashed)
        if family is None:
            raise Unauthenticated("The refresh token is not valid, or no longer. Please log in again.")
        standing = await refresh_tokens.standing(tx, hashed, successors=list(successors), lately=TOLERANCE)
        if not standing.used:
            following = next(iter(successors))
            await refresh_tokens.rotate(tx, hashed, successor=following)
            days, most_days = settings.session_days, settings.session_most_days
            await sessions.seen(tx, [family.session_id], days=days, most_days=most_days)
            return _pair(tokens, family, successors[following])
        if standing.used_lately and standing.next is not None:
            return _pair(tokens, family, successors[standing.next])
        await sessions.close(tx, family.session_id, user_id=family.user_id)
        await audit.record(tx, Action.REFRESH_REUSED, actor="somebody", subject=family.email, session=family.session_id)
    return Reused(family.user_id, family.session_id)


def _pair(tokens: Tokens, family: Family, refresh_token: str) -> Refreshed:
    return Refreshed(tokens.issue(user_id=family.user_id, session_id=family.session_id), refresh_token)
