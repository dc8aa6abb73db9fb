"""Broadcasts as their senders see them: what was said, and how far it got."""

from collections.abc import Collection

import msgspec
from sqlalchemy import text
from sqlalchemy.engine import RowMapping

from db import Tx
from db.queries.notifications import ITEM_COLUMNS, Item, item
from db.queries.paging import Paging


class Broadcast(Item, frozen=True, kw_only=True):
    """A broadcast and its progress.

    `total` users can see it and `read` of them have; of the `expanded` e-mails created so far, `sent` were sent,
    `failed` failed for good, and `remaining` are still to be tried; `rate` mails a second were sent in the last minute.
    Without the channel `email` those are 0.
    """

    total: int
    read: int
    expanded: int
    sent: int
    failed: int
    remaining: int
    rate: float


class Progress(msgspec.Struct, frozen=True):
    """How far the e-mails of a broadcast got, in the words of `Broadcast`."""

    notification_id: int
    total: int
    expanded: int
    sent: int
    failed: int
    remaining: int
    rate: float


# Mails a second over the last half minute to a minute, also where sending began later: see the trigger on deliveries.
RATE = """
    round(CAST(coalesce(
        e.rate * exp(-greatest(extract(epoch FROM now() - e.rated_at), 0) / 30.0)
        / (1 - exp(-greatest(extract(epoch FROM now() - e.sending_since), 1) / 30.0)), 0) AS numeric), 1)
"""
COUNTED = f"""
    coalesce(e.expanded, 0) AS expanded, coalesce(e.sent, 0) AS sent, coalesce(e.failed, 0) AS failed,
    coalesce(e.expanded - e.ended, 0) AS remaining, {RATE} AS rate
"""
QUERY = f"""
    SELECT {ITEM_COLUMNS}, NULL AS read_at,
        CASE WHEN e.after_user_id > 0 THEN e.total ELSE (
            SELECT count(*) FROM inboxes i
            WHERE i.broadcasts_from < coalesce(n.modseq, e.broadcasts_below)
                  AND (e.last_user_id IS NULL OR i.user_id <= e.last_user_id)
        ) END AS total,
        (SELECT count(*) FROM broadcast_receipts r
         WHERE r.notification_id = n.id AND r.read_at IS NOT NULL) AS read,
        {COUNTED}
    FROM notifications n
    LEFT JOIN users s ON s.id = n.sender_id
    LEFT JOIN expansions e ON e.notification_id = n.id
    WHERE n.user_id IS NULL AND n.deleted_at IS NULL
"""  # noqa: S608
ONE = text(f"{QUERY} AND n.id = :id")
PAGE = text(f"{QUERY} AND n.id < :before ORDER BY n.id DESC LIMIT :limit OFFSET :offset")

# Who updates `told_at` tells, so that all workers together tell once a second. A locked row moves again in a moment.
TAKE_TURN = text(f"""
    WITH told AS (
        UPDATE expansions SET told_at = now() WHERE notification_id IN (
            SELECT notification_id FROM expansions
            WHERE notification_id = ANY(:ids) AND (told_at IS NULL OR told_at <= now() - interval '1 second')
            ORDER BY notification_id FOR NO KEY UPDATE SKIP LOCKED
        ) RETURNING *
    )
    SELECT known.notification_id AS id, n.sender_id, e.total, {COUNTED}
    FROM expansions known
    LEFT JOIN told e ON e.notification_id = known.notification_id
    LEFT JOIN notifications n ON n.id = e.notification_id
    WHERE known.notification_id = ANY(:ids)
""")  # noqa: S608


async def one(tx: Tx, notification_id: int) -> Broadcast | None:
    row = (await tx.execute(ONE, {"id": notification_id})).mappings().first()
    return _broadcast(row) if row else None


async def page(tx: Tx, paging: Paging) -> list[Broadcast]:
    """Newest first."""
    return [_broadcast(row) for row in (await tx.execute(PAGE, paging.values)).mappings()]


async def take_turn(tx: Tx, ids: Collection[int]) -> tuple[list[tuple[int | None, Progress]], set[int]]:
    """The progress of those of these broadcasts that nobody told of within the last second, each with its sender.

    The second part are the others: their turn comes later.
    """
    told: list[tuple[int | None, Progress]] = []
    later = set()
    for row in await tx.execute(TAKE_TURN, {"ids": list(ids)}):
        if row.total is None:
            later.add(row.id)
        else:
            counted = (row.total, row.expanded, row.sent, row.failed, row.remaining, float(row.rate))
            told.append((row.sender_id, Progress(row.id, *counted)))
    return told, later


def _broadcast(row: RowMapping) -> Broadcast:
    progress = {name: row[name] for name in ("total", "read", "expanded", "sent", "failed", "remaining")}
    return Broadcast(**msgspec.structs.asdict(item(row)), **progress, rate=float(row["rate"]))
