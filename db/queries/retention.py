"""Removing what is older than the window. Each call is one small transaction's work and says what it removed."""

import msgspec
from sqlalchemy import text

from db import Tx
from db.queries.batches import delete_some, some
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
OLDEST = f"SELECT id FROM notifications WHERE user_id = :user AND {OVER} ORDER BY visible_at LIMIT :limit"  # noqa: S608
PERSONAL_MAILS = text(f"DELETE FROM deliveries WHERE notification_id IN ({OLDEST})")  # noqa: S608
PERSONAL = text(f"""
    DELETE FROM notifications WHERE id IN ({OLDEST})
    RETURNING id, modseq IS NOT NULL AND deleted_at IS NULL AS seen, read_at IS NULL AS unread
""")  # noqa: S608
# A position from before a removal cannot be replayed: what was removed is not there to be told.
ADVANCE = text("""
    UPDATE inboxes SET modseq = modseq + :numbers, floor = modseq + :numbers, unread = unread - :unread
    WHERE user_id = :user
""")

# Without a number it is in no inbox, as one that never had the channel; `inbox.POSITIONS` leaves its receipts out.
WITHDRAW = text(f"""
    UPDATE notifications n SET modseq = NULL, deleted_at = now()
    FROM (
        SELECT id, modseq IS NOT NULL AS seen FROM notifications
        WHERE user_id IS NULL AND deleted_at IS NULL AND {OVER} ORDER BY visible_at LIMIT 1 FOR UPDATE
    ) oldest
    WHERE n.id = oldest.id
    RETURNING n.id, oldest.seen
""")  # noqa: S608
NEVER_ARRIVED = some(
    "notifications",
    "status = 'cancelled' AND visible_at IS NULL AND updated_at < now() - make_interval(days => :days)",
)
LOCK_CLOCK = text("SELECT modseq FROM broadcast_clock FOR UPDATE")
ADVANCE_CLOCK = text("UPDATE broadcast_clock SET modseq = modseq + 1, floor = modseq + 1 RETURNING modseq")
WITHDRAWN = text("SELECT id FROM notifications WHERE user_id IS NULL AND deleted_at IS NOT NULL ORDER BY id")
# In the order of users, so that no chunk looks through what those before it left dead in the index.
RECEIPTS, MAILS = (
    text(f"""
        WITH removed AS (
            DELETE FROM {table} WHERE notification_id = :id AND user_id IN (
                SELECT user_id FROM {table} WHERE notification_id = :id AND user_id > :after
                ORDER BY user_id LIMIT :limit
            ) RETURNING user_id
        )
        SELECT max(user_id) FROM removed
    """)  # noqa: S608
    for table in ("broadcast_receipts", "deliveries")
)
BROADCAST = text("DELETE FROM notifications WHERE id = :id AND user_id IS NULL AND deleted_at IS NOT NULL")


async def users_with_old_items(tx: Tx, *, days: int) -> list[int]:
    """Some of the users who have notifications older than `days`; none when all is done."""
    return list((await tx.scalars(USERS, {"days": days, "limit": BATCH})).all())


async def remove_personal_mails(tx: Tx, user_id: int, *, days: int) -> None:
    """Remove the records of e-mails of what `remove_personal` removes next: it holds an inbox, and should be quick."""
    await tx.execute(PERSONAL_MAILS, {"user": user_id, "days": days, "limit": BATCH})


async def remove_personal(tx: Tx, box: Box, *, days: int) -> Removed:
    """Remove up to `BATCH` old notifications of one inbox, whose row the caller has locked (`inbox.lock`)."""
    rows = (await tx.execute(PERSONAL, {"user": box.user_id, "days": days, "limit": BATCH})).all()
    seen = [row for row in rows if row.seen]
    removed = Removed([row.id for row in seen], sum(row.unread for row in seen))
    if rows:
        await tx.execute(ADVANCE, {"user": box.user_id, "numbers": int(bool(seen)), "unread": removed.unread})
    return removed


async def withdraw_broadcast(tx: Tx, *, days: int) -> tuple[int, int | None] | None:
    """Take the oldest broadcast out of all inboxes if it is older than `days`: its id, and the number that took.

    The number is None if it was in no inbox. Nothing is removed yet: who saw it may be a million rows, and meanwhile no
    broadcast could be sent.
    """
    await tx.execute(LOCK_CLOCK)
    row = (await tx.execute(WITHDRAW, {"days": days})).one_or_none()
    if row is None:
        return None
    return row.id, int(await tx.scalar(ADVANCE_CLOCK)) if row.seen else None


async def forget_never_arrived(tx: Tx, *, days: int) -> bool:
    """Remove some scheduled notifications that were cancelled more than `days` ago. Whether there may be more."""
    return await delete_some(tx, NEVER_ARRIVED, days=days)


async def withdrawn(tx: Tx) -> list[int]:
    """The broadcasts that are in no inbox any more, and whose rows are still to be removed."""
    return list(await tx.scalars(WITHDRAWN))


async def remove_receipts(tx: Tx, notification_id: int, *, after: int, limit: int = BATCH) -> int | None:
    """Remove up to `limit` receipts of a withdrawn broadcast, of users above `after`: the last of them, if any."""
    last: int | None = await tx.scalar(RECEIPTS, {"id": notification_id, "after": after, "limit": limit})
    return last


async def remove_mails(tx: Tx, notification_id: int, *, after: int, limit: int = BATCH) -> int | None:
    """As `remove_receipts`, the records of its e-mails."""
    last: int | None = await tx.scalar(MAILS, {"id": notification_id, "after": after, "limit": limit})
    return last


async def remove_broadcast(tx: Tx, notification_id: int) -> None:
    """Remove a withdrawn broadcast itself, when little or nothing belongs to it any more."""
    await tx.execute(BROADCAST, {"id": notification_id})
