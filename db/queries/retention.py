"""Removing what is older than the window. Each call is one small transaction's work and says what it removed."""

import msgspec
from sqlalchemy import text

from db import Tx
from db.queries.inbox import Box

BATCH = 1_000


class Removed(msgspec.Struct, frozen=True):
    """Rows removed: `ids` of those that were in the inbox until now, `unread` of them unread."""

    ids: list[int]
    unread: int


# An e-mail still to be sent keeps its notification, however old.
OVER = "visible_at < now() - make_interval(days => :days) AND status NOT IN ('scheduled', 'pending', 'processing')"

USERS = text(f"""
    SELECT DISTINCT user_id FROM (
        SELECT user_id FROM notifications WHERE user_id IS NOT NULL AND {OVER} ORDER BY visible_at LIMIT :limit
    ) oldest
""")  # noqa: S608
PERSONAL = text(f"""
    DELETE FROM notifications WHERE id IN (
        SELECT id FROM notifications WHERE user_id = :user AND {OVER} ORDER BY visible_at LIMIT :limit
    )
    RETURNING id, modseq IS NOT NULL AND deleted_at IS NULL AS seen, read_at IS NULL AS unread
""")  # noqa: S608
# A position from before a removal cannot be replayed: what was removed is not there to be told.
ADVANCE = text("""
    UPDATE inboxes SET modseq = modseq + :numbers, floor = modseq + :numbers, unread = unread - :unread
    WHERE user_id = :user
""")
BROADCAST = text(f"""
    DELETE FROM notifications WHERE id IN (
        SELECT id FROM notifications WHERE user_id IS NULL AND {OVER} ORDER BY visible_at LIMIT 1
    )
    RETURNING id, modseq IS NOT NULL AS seen
""")  # noqa: S608
LOCK_CLOCK = text("SELECT modseq FROM broadcast_clock FOR UPDATE")
ADVANCE_CLOCK = text("UPDATE broadcast_clock SET modseq = modseq + 1, floor = modseq + 1 RETURNING modseq")


async def users_with_old_items(tx: Tx, *, days: int) -> list[int]:
    """Some of the users who have notifications older than `days`; none when all is done."""
    return list((await tx.scalars(USERS, {"days": days, "limit": BATCH})).all())


async def remove_personal(tx: Tx, box: Box, *, days: int) -> Removed:
    """Remove up to `BATCH` old notifications of one inbox, whose row the caller has locked (`inbox.lock`)."""
    rows = (await tx.execute(PERSONAL, {"user": box.user_id, "days": days, "limit": BATCH})).all()
    seen = [row for row in rows if row.seen]
    removed = Removed([row.id for row in seen], sum(row.unread for row in seen))
    if rows:
        await tx.execute(ADVANCE, {"user": box.user_id, "numbers": int(bool(seen)), "unread": removed.unread})
    return removed


async def remove_broadcast(tx: Tx, *, days: int) -> tuple[int, int | None] | None:
    """Remove the oldest broadcast if it is older than `days`: its id and the number its removal took, if it had one.

    One at a time, because its receipts go with it.
    """
    await tx.execute(LOCK_CLOCK)
    row = (await tx.execute(BROADCAST, {"days": days})).one_or_none()
    if row is None:
        return None
    return row.id, int(await tx.scalar(ADVANCE_CLOCK)) if row.seen else None
