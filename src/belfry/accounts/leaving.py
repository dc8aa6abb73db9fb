"""Deleting one's account, and everything that is one's own with it."""

import structlog
from sqlalchemy.exc import SQLAlchemyError

from belfry.accounts.administration import keep_an_admin
from belfry.errors import Unauthenticated
from db import Database, is_passing
from db.models import Action
from db.queries import audit, departures, directory
from db.queries.sessions import Principal
from db.queries.users import Credentials

__all__ = ["leave", "remove"]

log = structlog.get_logger()


async def leave(db: Database, me: Principal, proven: Credentials) -> list[tuple[int, int]]:
    """Delete the account: nobody can log in to it, write to it or find it any more, and its address is free.

    Its rows are still there, for `remove`. Returns user and session of what ended: logins, API keys, and what those
    issued.

    Raises:
        Conflict: it is the last admin.
        Unauthenticated: the password was changed, or the account disabled or deleted, at this moment.
    """
    async with db.begin() as tx:
        keep_an_admin(await directory.admins(tx), me.user_id)
        if not await departures.lock(tx, me.user_id, proven.password_hash):
            raise Unauthenticated("The session has ended.")
        ended = await directory.ended_with(tx, me.user_id)
        await departures.depart(tx, me.user_id)
        await audit.record(tx, Action.USER_DELETED, actor=me, subject=me.email)
    return ended


async def remove(db: Database, user_id: int) -> None:
    """Remove what belonged to somebody who is gone. What PostgreSQL does not do now, the sweep finds again."""
    try:
        more = True
        while more:
            async with db.begin() as tx:
                more = await departures.remove_some(tx, user_id)
    except (SQLAlchemyError, OSError) as error:
        if not is_passing(error):
            raise
        log.warning("a deleted account is not yet removed; the sweep goes on", error=type(error).__name__)
