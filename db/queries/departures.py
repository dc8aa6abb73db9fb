"""Accounts that go. From the first transaction on nobody is there; what belonged to them is removed in batches.

Killed at any point, the next run goes on. One transaction for all of it would hold thousands of rows that workers want
at the same time, and a user's row that others refer to.
"""

from sqlalchemy import text

from db import Tx
from db.queries.retention import BATCH

__all__ = ["depart", "lock", "remove_some", "waiting"]

LOCK = text("""
    SELECT id FROM users WHERE id = :id AND password_hash = :password_hash AND disabled_at IS NULL FOR UPDATE
""")
# The address is free at once. What a server or an admin said of it stays: it is about the mailbox, not about the user.
UNSUBSCRIBED = text("""
    DELETE FROM suppressions s USING users u
    WHERE u.id = :id AND lower(s.address) = lower(u.email) AND s.reason = 'unsubscribed'
""")
SESSIONS = text("DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE user_id = :id ORDER BY id FOR UPDATE)")
LINKS = text("UPDATE security_mails SET ended_at = now() WHERE user_id = :id AND ended_at IS NULL")
DEPART = text("""
    UPDATE users SET email = 'deleted ' || id, display_name = '', password_hash = '', role = 'member',
        email_verified_at = NULL, disabled_at = now(), deleted_at = now()
    WHERE id = :id
""")
WAITING = text("SELECT id FROM users WHERE deleted_at IS NOT NULL ORDER BY id")

# E-mails before their notifications, as workers lock them; rows in one order. What has no number goes with the user.
BATCHES = tuple(
    text(statement)
    for statement in (
        """
        DELETE FROM deliveries WHERE id IN (
            SELECT id FROM deliveries WHERE user_id = :id ORDER BY id LIMIT :limit FOR UPDATE
        )
        """,
        """
        DELETE FROM notifications WHERE id IN (
            SELECT id FROM notifications WHERE user_id = :id AND modseq IS NOT NULL
            ORDER BY modseq LIMIT :limit FOR UPDATE
        )
        """,
        """
        UPDATE notifications SET sender_id = NULL WHERE id IN (
            SELECT id FROM notifications WHERE sender_id = :id ORDER BY id LIMIT :limit FOR NO KEY UPDATE
        )
        """,
        """
        DELETE FROM broadcast_receipts WHERE user_id = :id AND notification_id IN (
            SELECT notification_id FROM broadcast_receipts WHERE user_id = :id ORDER BY notification_id LIMIT :limit
        )
        """,
    )
)
LAST = text("DELETE FROM users WHERE id = :id AND deleted_at IS NOT NULL")


async def lock(tx: Tx, user_id: int, password_hash: str) -> bool:
    """Whether this is still the user's password; if so, nobody else changes or refers to the user meanwhile."""
    return await tx.scalar(LOCK, {"id": user_id, "password_hash": password_hash}) is not None


async def depart(tx: Tx, user_id: int) -> None:
    """Make a user one that nobody can be, write to or find, without a name or an address."""
    for statement in (UNSUBSCRIBED, SESSIONS, LINKS, DEPART):
        await tx.execute(statement, {"id": user_id})


async def waiting(tx: Tx) -> list[int]:
    """Those who are gone, and of whom something is still there."""
    return list(await tx.scalars(WAITING))


async def remove_some(tx: Tx, user_id: int) -> bool:
    """Remove up to `BATCH` rows of a user who is gone, and at the end the user. Whether there may be more."""
    for statement in BATCHES:
        if (await tx.execute(statement, {"id": user_id, "limit": BATCH})).rowcount:
            return True
    await tx.execute(LAST, {"id": user_id})
    return False
