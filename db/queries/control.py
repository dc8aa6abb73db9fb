"""Stopping what is not sent yet, and trying again what was not sent.

Deliveries are locked before their notification, as workers do; only what is still scheduled has no worker at it, and
there it is the other way round, as in `db.queries.arrivals`.
"""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import TextClause, text

from db import Tx
from db.queries.notifications import ITEM_COLUMNS, Item, item

BATCH = 1_000


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Whose a notification is, and where it stands."""

    id: int
    broadcast: bool
    sender_id: int | None
    status: str


class Retried(msgspec.Struct, frozen=True):
    """Deliveries that will be tried again, and the last id looked at."""

    count: int
    last: int


STANDING = text("SELECT id, user_id IS NULL AS broadcast, sender_id, status FROM notifications WHERE id = :id")
ITEM = text(f"""
    SELECT {ITEM_COLUMNS}, n.read_at FROM notifications n LEFT JOIN users s ON s.id = n.sender_id WHERE n.id = :id
""")  # noqa: S608

CANCEL_SCHEDULED = text("""
    WITH cancelled AS (
        UPDATE notifications SET status = 'cancelled', updated_at = now()
        WHERE id = :id AND status = 'scheduled' RETURNING id
    ), stopped AS (
        UPDATE deliveries d SET status = 'cancelled', reason = :reason
        FROM cancelled WHERE d.notification_id = cancelled.id AND d.status = 'scheduled'
    )
    SELECT count(*) FROM cancelled
""")

# Without its token a worker cannot hand the mail over. Once it is stamped as handed over, only the outcome counts.
NOT_HANDED_OVER = "(status = 'pending' OR status = 'processing' AND handed_over_at IS NULL)"
STOPPED = "status = 'cancelled', reason = :reason, lease_token = NULL, leased_until = NULL"
CANCEL_QUEUED = text(f"""
    WITH stopped AS (
        UPDATE deliveries SET {STOPPED} WHERE notification_id = :id AND {NOT_HANDED_OVER} RETURNING notification_id
    ), cancelled AS (
        UPDATE notifications n SET status = 'cancelled', updated_at = now()
        FROM stopped WHERE n.id = stopped.notification_id
    )
    SELECT count(*) FROM stopped
""")  # noqa: S608

# The expansion's row is locked first, as by the job that works on it; waiting for the broadcast's own row lets a chunk
# under way be committed, so that it is seen.
LOCK_EXPANSION = text("SELECT 1 FROM expansions WHERE notification_id = :id FOR UPDATE")
CANCEL_BROADCAST = text(f"""
    UPDATE notifications n SET status = 'cancelled', updated_at = now()
    WHERE n.id = :id AND n.status IN ('pending', 'processing') AND (
        EXISTS (SELECT FROM expansions WHERE notification_id = :id AND finished_at IS NULL)
        OR EXISTS (SELECT FROM deliveries WHERE notification_id = :id AND {NOT_HANDED_OVER})
    )
    RETURNING n.id
""")  # noqa: S608
# An expansion that is not finished is found by the sweep: so are the e-mails that are still to be cancelled.
REOPEN = text("UPDATE expansions SET finished_at = NULL WHERE notification_id = :id")
# Those that are locked are with a worker at this moment: it says what becomes of them, or the next batch finds them.
CANCEL_SOME = text(f"""
    WITH batch AS (
        SELECT id FROM deliveries WHERE notification_id = :id AND {NOT_HANDED_OVER}
        ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED
    ), stopped AS (
        UPDATE deliveries d SET {STOPPED} FROM batch WHERE d.id = batch.id AND d.status IN ('pending', 'processing')
        RETURNING d.id
    )
    SELECT EXISTS (
        SELECT FROM deliveries WHERE notification_id = :id AND {NOT_HANDED_OVER} AND id NOT IN (SELECT id FROM batch)
    )
""")  # noqa: S608

RETRY = """
    WITH chosen AS (
        SELECT d.id FROM deliveries d JOIN notifications n ON n.id = d.notification_id {source}
        WHERE n.status <> 'cancelled' AND d.id > :after AND {which}
        ORDER BY d.id LIMIT :limit FOR UPDATE OF d {patience}
    ), retried AS (
        UPDATE deliveries d
        SET status = 'pending', attempts = 0, due_at = now(), reason = NULL, handed_over_at = NULL
        FROM chosen WHERE d.id = chosen.id AND d.status IN ('failed', 'uncertain')
        RETURNING d.id, d.notification_id
    ), waiting AS (
        SELECT id FROM notifications WHERE id IN (SELECT notification_id FROM retried) ORDER BY id FOR NO KEY UPDATE
    ), marked AS (
        UPDATE notifications n
        SET status = CASE WHEN n.user_id IS NULL THEN 'processing' ELSE 'pending' END, updated_at = now()
        FROM waiting WHERE n.id = waiting.id
    )
    SELECT count(*) AS count, coalesce(max(id), 0) AS last FROM retried
"""
RETRY_OF_ONE = text(
    RETRY.format(source="", which="d.notification_id = :id AND d.status IN ('failed', 'uncertain')", patience="")
)
# When it failed is when its last attempt ended.
RETRY_FAILED = text(
    RETRY.format(
        source="""CROSS JOIN LATERAL (
            SELECT ended_at FROM delivery_attempts a WHERE a.delivery_id = d.id ORDER BY a.id DESC LIMIT 1
        ) last""",
        which="d.status = 'failed' AND last.ended_at >= :from_ AND last.ended_at < :to",
        patience="SKIP LOCKED",
    )
)


async def standing(tx: Tx, notification_id: int) -> Standing | None:
    row = (await tx.execute(STANDING, {"id": notification_id})).mappings().one_or_none()
    return Standing(**row) if row else None


async def as_sent(tx: Tx, notification_id: int) -> Item:
    """The item as its sender sees it."""
    return item((await tx.execute(ITEM, {"id": notification_id})).mappings().one())


async def cancel_scheduled(tx: Tx, notification_id: int, *, reason: str) -> bool:
    """Keep a notification from arriving. False if it is not scheduled.

    One statement, and to be the only one of its transaction: the row stays locked even when it has just arrived.
    """
    return bool(await tx.scalar(CANCEL_SCHEDULED, {"id": notification_id, "reason": reason}))


async def cancel_queued(tx: Tx, notification_id: int, *, reason: str) -> bool:
    """Keep the e-mail of a personal notification from being handed over. False if it is, or there is none."""
    return bool(await tx.scalar(CANCEL_QUEUED, {"id": notification_id, "reason": reason}))


async def cancel_broadcast(tx: Tx, notification_id: int, *, reason: str) -> bool:
    """Keep the e-mails of a broadcast from being created and handed over. False if all are, or there are none.

    From the commit on workers see that it is cancelled. Here a first batch of deliveries says so as well; the job that
    expands goes on with the others.
    """
    await tx.execute(LOCK_EXPANSION, {"id": notification_id})
    if await tx.scalar(CANCEL_BROADCAST, {"id": notification_id}) is None:
        return False
    await tx.execute(REOPEN, {"id": notification_id})
    await cancel_some(tx, notification_id, reason=reason, limit=BATCH)
    return True


async def cancel_some(tx: Tx, notification_id: int, *, reason: str, limit: int) -> bool:
    """Cancel some e-mails of a broadcast. Whether there are more."""
    return bool(await tx.scalar(CANCEL_SOME, {"id": notification_id, "reason": reason, "limit": limit}))


async def retry(tx: Tx, notification_id: int, *, after: int = 0) -> Retried:
    """Try what failed or is uncertain again, from the start: at most `BATCH` deliveries with an id above `after`."""
    return await _retry(tx, RETRY_OF_ONE, after, {"id": notification_id})


async def retry_failed(tx: Tx, *, from_: datetime, to: datetime, after: int) -> Retried:
    """As `retry`, for deliveries of any notification that failed in a span of time; `to` is not in it."""
    return await _retry(tx, RETRY_FAILED, after, {"from_": from_, "to": to})


async def _retry(tx: Tx, statement: TextClause, after: int, values: dict[str, Any]) -> Retried:
    row = (await tx.execute(statement, values | {"after": after, "limit": BATCH})).mappings().one()
    return Retried(**row)
