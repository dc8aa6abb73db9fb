"""The e-mails of a broadcast, created in chunks by user id. Killed at any point, it goes on from the last commit.

What became of them is counted by a trigger: whoever changes the status of deliveries, or removes some, need not think
of it. Only who inserts deliveries of a broadcast adds to `expanded`, as `expand` does.
"""

import msgspec
from sqlalchemy import text

from db import Tx
from db.queries import control

__all__ = ["Progress", "advance", "expand", "unfinished"]

CHUNK = 5_000
CANCELLED = "the broadcast was cancelled"


class Progress(msgspec.Struct, frozen=True):
    created: int
    finished: bool


# One worker at a time is at a broadcast. The lock is not the row's, which workers that settle its e-mails update all
# the time: they would wait for chunks, and chunks be given up because of them.
ALONE = text("SELECT pg_try_advisory_xact_lock(hashtextextended('expansion', :id))")

# FOR SHARE keeps a cancellation out until this chunk is committed, so that it finds and cancels these rows too.
OPEN = text("""
SELECT e.broadcasts_below, e.last_user_id, e.after_user_id, n.status IN ('pending', 'processing') AS wanted
FROM expansions e JOIN notifications n ON n.id = e.notification_id
WHERE e.notification_id = :id AND e.finished_at IS NULL
FOR SHARE OF n
""")

COUNT_AUDIENCE = text("""
UPDATE expansions SET total = (
    SELECT count(*) FROM inboxes WHERE broadcasts_from < :below AND user_id <= :last
) WHERE notification_id = :id
""")

EXPAND = text("""
WITH chunk AS (
    SELECT i.user_id, u.disabled_at IS NULL AND i.broadcasts_from < :below AS wanted
    FROM inboxes i JOIN users u ON u.id = i.user_id
    WHERE i.user_id > :after AND i.user_id <= :last
    ORDER BY i.user_id
    LIMIT :size
), created AS (
    INSERT INTO deliveries (notification_id, user_id, channel, lane, status)
    SELECT :id, user_id, 'email', 2, 'pending' FROM chunk WHERE wanted
    ON CONFLICT (notification_id, user_id, channel) DO NOTHING
    RETURNING user_id
), progress AS (
    SELECT (SELECT count(*) FROM chunk) < :size AS finished,
           (SELECT max(user_id) FROM chunk) AS reached,
           (SELECT count(*) FROM created) AS created
)
UPDATE expansions e
SET after_user_id = coalesce(p.reached, e.after_user_id),
    expanded = e.expanded + p.created,
    finished_at = CASE WHEN p.finished THEN now() END
FROM progress p
WHERE e.notification_id = :id AND e.finished_at IS NULL
RETURNING p.created, p.finished
""")

STOP = text("UPDATE expansions SET finished_at = now() WHERE notification_id = :id AND finished_at IS NULL")

UNFINISHED = text("SELECT notification_id FROM expansions WHERE finished_at IS NULL ORDER BY notification_id")

# Where a broadcast as a whole stands: under way until the last of its e-mails has come to an end.
ADVANCE = text("""
WITH stand AS (
    SELECT e.notification_id AS id, CASE
        WHEN e.ended < e.expanded THEN 'processing'
        WHEN e.expanded > 0 AND e.failed = e.expanded THEN 'failed'
        ELSE 'sent' END AS status
    FROM expansions e JOIN notifications n ON n.id = e.notification_id
    WHERE e.finished_at IS NOT NULL AND n.user_id IS NULL AND n.status IN ('pending', 'processing')
)
UPDATE notifications n SET status = stand.status, updated_at = now()
FROM stand WHERE n.id = stand.id AND n.status IN ('pending', 'processing') AND n.status <> stand.status
""")


async def expand(tx: Tx, notification_id: int, *, size: int = CHUNK) -> Progress | None:
    """Create the e-mails of the next `size` users, or cancel so many if the broadcast was cancelled.

    None if it is finished, or another worker is at it.
    """
    if not await tx.scalar(ALONE, {"id": notification_id}):
        return None
    row = (await tx.execute(OPEN, {"id": notification_id})).one_or_none()
    if row is None:
        return None
    if not row.wanted:
        more = await control.cancel_some(tx, notification_id, reason=CANCELLED, limit=size)
        if not more:
            await tx.execute(STOP, {"id": notification_id})
        return Progress(created=0, finished=not more)
    given = {
        "id": notification_id,
        "below": row.broadcasts_below,
        "after": row.after_user_id,
        "last": row.last_user_id,
        "size": size,
    }
    if row.after_user_id == 0:
        await tx.execute(COUNT_AUDIENCE, given)
    return Progress(*(await tx.execute(EXPAND, given)).one())


async def unfinished(tx: Tx) -> list[int]:
    return list(await tx.scalars(UNFINISHED))


async def advance(tx: Tx) -> None:
    """Bring the status of broadcasts in step with their e-mails."""
    await tx.execute(ADVANCE)
