"""Broadcasts as their senders see them: what was said, and how far it got."""

import msgspec
from sqlalchemy import text
from sqlalchemy.engine import RowMapping

from db import Tx
from db.queries.notifications import ITEM_COLUMNS, Item, item


class Broadcast(Item, frozen=True, kw_only=True):
    """A broadcast and its progress.

    `total` users can see it and `read` of them have; of the `expanded` e-mails created so far, `sent` were sent,
    `failed` failed for good, and `remaining` are still to be tried. Without the channel `email` those are 0.
    """

    total: int
    read: int
    expanded: int
    sent: int
    failed: int
    remaining: int


QUERY = f"""
    SELECT {ITEM_COLUMNS}, NULL AS read_at,
        (SELECT count(*) FROM inboxes i
         WHERE i.broadcasts_from < coalesce(n.modseq, e.broadcasts_below)
               AND (e.last_user_id IS NULL OR i.user_id <= e.last_user_id)) AS total,
        (SELECT count(*) FROM broadcast_receipts r
         WHERE r.notification_id = n.id AND r.read_at IS NOT NULL) AS read,
        coalesce(e.expanded, 0) AS expanded, mail.sent, mail.failed, mail.remaining
    FROM notifications n
    LEFT JOIN users s ON s.id = n.sender_id
    LEFT JOIN expansions e ON e.notification_id = n.id
    CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE d.status = 'sent') AS sent,
               count(*) FILTER (WHERE d.status = 'failed') AS failed,
               count(*) FILTER (WHERE d.status IN ('scheduled', 'pending', 'processing')) AS remaining
        FROM deliveries d WHERE d.notification_id = n.id
    ) mail
"""  # noqa: S608
ONE = text(f"{QUERY} WHERE n.user_id IS NULL AND n.id = :id")
PAGE = text(f"{QUERY} WHERE n.user_id IS NULL AND n.id < :before ORDER BY n.id DESC LIMIT :limit OFFSET :offset")


async def one(tx: Tx, notification_id: int) -> Broadcast | None:
    row = (await tx.execute(ONE, {"id": notification_id})).mappings().first()
    return _broadcast(row) if row else None


async def page(tx: Tx, *, before: int, offset: int, limit: int) -> list[Broadcast]:
    """Newest first, with an id below `before`."""
    return [
        _broadcast(row)
        for row in (await tx.execute(PAGE, {"before": before, "offset": offset, "limit": limit})).mappings()
    ]


def _broadcast(row: RowMapping) -> Broadcast:
    progress = {name: row[name] for name in ("total", "read", "expanded", "sent", "failed", "remaining")}
    return Broadcast(**msgspec.structs.asdict(item(row)), **progress)
