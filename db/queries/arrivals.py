"""Scheduled notifications: until they are due they have no number, and arriving is one transaction.

Rows are picked with SKIP LOCKED, so several workers at once share none. Inboxes are locked in the order of user ids, as
by everybody who writes to several; one that is locked is passed over, so that it keeps nobody else waiting.
"""

from typing import Any

from sqlalchemy import TextClause, text

from db import Tx
from db.queries.notifications import EXPANSION, ITEM_COLUMNS, Item, Sent, item

BATCH = 500

DUE = """
    SELECT id, user_id, channels FROM notifications
    WHERE status = 'scheduled' AND send_at <= now() AND user_id IS {null}
    ORDER BY send_at, id LIMIT :limit
    FOR NO KEY UPDATE SKIP LOCKED
"""
PERSONAL_DUE = text(DUE.format(null="NOT NULL"))
BROADCAST_DUE = text(DUE.format(null="NULL"))

FREE_INBOXES = text("SELECT user_id FROM inboxes WHERE user_id = ANY(:users) ORDER BY user_id FOR UPDATE SKIP LOCKED")

# What is due together in one inbox takes its numbers in the order it was due, each a microsecond after the one before:
# the list is in the order of `visible_at`.
PERSONAL = text(f"""
    WITH due AS (
        SELECT n.id, n.user_id, numbered, 'email' = ANY(n.channels) AS email,
               row_number() OVER (PARTITION BY n.user_id, numbered ORDER BY n.send_at, n.id) AS nth
        FROM notifications n CROSS JOIN LATERAL (SELECT 'inbox' = ANY(n.channels) AS numbered) channel
        WHERE n.id = ANY(:ids)
    ), box AS (
        UPDATE inboxes i SET modseq = i.modseq + came.many, unread = i.unread + came.many
        FROM (SELECT user_id, count(*) AS many FROM due WHERE numbered GROUP BY user_id) came
        WHERE i.user_id = came.user_id
        RETURNING i.user_id, i.modseq - came.many AS modseq, i.unread - came.many AS unread, clock_timestamp() AS at
    ), coming AS (
        SELECT due.id, due.email, box.modseq + nth AS modseq, box.unread + nth AS unread,
               coalesce(box.at, clock_timestamp()) + (nth - 1) * interval '1 microsecond' AS at
        FROM due LEFT JOIN box ON box.user_id = due.user_id AND due.numbered
    ), arrived AS (
        UPDATE notifications n
        SET modseq = coming.modseq, visible_at = coming.at, updated_at = coming.at,
            status = CASE WHEN coming.email THEN 'pending' ELSE 'none' END
        FROM coming WHERE n.id = coming.id AND n.status = 'scheduled'
        RETURNING n.*, coming.unread
    ), queued AS (
        UPDATE deliveries d SET status = 'pending', due_at = now() FROM due
        WHERE d.notification_id = due.id AND d.status = 'scheduled'
    )
    SELECT {ITEM_COLUMNS}, n.read_at, n.modseq, n.unread
    FROM arrived n LEFT JOIN users s ON s.id = n.sender_id ORDER BY n.user_id, n.modseq
""")  # noqa: S608

# Locked before the statement that reads who there is: an account made meanwhile is in the audience or above the number.
LOCK_CLOCK = text("SELECT modseq FROM broadcast_clock FOR UPDATE")
BROADCAST = text(f"""
    WITH clock AS (
        UPDATE broadcast_clock SET modseq = modseq + 1 WHERE :numbered RETURNING modseq
    ), made AS (
        UPDATE notifications n
        SET modseq = (SELECT modseq FROM clock), visible_at = moment.at, updated_at = moment.at,
            status = CASE WHEN 'email' = ANY(n.channels) THEN 'pending' ELSE 'none' END
        FROM (SELECT clock_timestamp() AS at) moment
        WHERE n.id = :id AND n.status = 'scheduled'
        RETURNING n.*
    ), expansion AS (
        {EXPANSION} FROM made WHERE status = 'pending'
    )
    SELECT {ITEM_COLUMNS}, n.read_at, n.modseq, NULL AS unread
    FROM made n LEFT JOIN users s ON s.id = n.sender_id
""")  # noqa: S608

SECONDS_TO_NEXT = text("""
    SELECT extract(epoch FROM min(send_at) - now()) FROM notifications WHERE status = 'scheduled'
""")


async def personal(tx: Tx, *, limit: int = BATCH) -> list[tuple[Sent, Item]]:
    """Let up to `limit` personal notifications that are due arrive; none when all have, or others hold them."""
    due = (await tx.execute(PERSONAL_DUE, {"limit": limit})).all()
    if not due:
        return []
    users = {row.user_id for row in due if "inbox" in row.channels}
    free = set(await tx.scalars(FREE_INBOXES, {"users": list(users)}))
    ids = [row.id for row in due if row.user_id in free or "inbox" not in row.channels]
    return await _arrived(tx, PERSONAL, {"ids": ids})


async def broadcast(tx: Tx) -> tuple[Sent, Item] | None:
    """Let the first broadcast that is due arrive, for whoever has an account by now; None as for `personal`."""
    due = (await tx.execute(BROADCAST_DUE, {"limit": 1})).one_or_none()
    if due is None:
        return None
    await tx.execute(LOCK_CLOCK)
    [arrived] = await _arrived(tx, BROADCAST, {"id": due.id, "numbered": "inbox" in due.channels})
    return arrived


async def seconds_to_next(tx: Tx) -> float | None:
    """How long until the next scheduled notification is due, negative if it is already. None if there is none."""
    seconds = await tx.scalar(SECONDS_TO_NEXT)
    return None if seconds is None else float(seconds)


async def _arrived(tx: Tx, statement: TextClause, values: dict[str, Any]) -> list[tuple[Sent, Item]]:
    return [
        (
            Sent(
                id=row["id"],
                user_id=row["user_id"],
                modseq=row["modseq"],
                unread=row["unread"],
                status=row["status"],
                at=row["updated_at"],
            ),
            item(row),
        )
        for row in (await tx.execute(statement, values)).mappings()
    ]
