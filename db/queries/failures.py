"""E-mails that failed for good, for those who look after the mail."""

from datetime import datetime
from typing import Literal

import msgspec
from sqlalchemy import text

from db import Tx
from db.queries.notifications import Sender
from db.queries.paging import Paging

__all__ = ["FailedDelivery", "page"]


class FailedDelivery(msgspec.Struct, frozen=True, kw_only=True):
    """An e-mail of a notification, after its last try. `reason` is ours, `said` and `code` the mail server's."""

    id: int
    notification_id: int
    type: Literal["personal", "broadcast"]
    title: str
    recipient: Sender
    address: str
    reason: str | None
    code: int | None
    said: str | None
    attempts: int
    failed_at: datetime | None


# Along the partial index; mails about accounts have no notification, and are not tried again by an admin.
PAGE = text("""
    SELECT d.id, d.notification_id, CASE WHEN n.user_id IS NULL THEN 'broadcast' ELSE 'personal' END AS type, n.title,
           u.id AS user_id, coalesce(nullif(u.display_name, ''), u.email) AS name, u.email AS address,
           d.reason, d.smtp_code AS code, d.last_error AS said, d.attempts, last.ended_at AS failed_at
    FROM deliveries d JOIN notifications n ON n.id = d.notification_id JOIN users u ON u.id = d.user_id
    LEFT JOIN LATERAL (
        SELECT ended_at FROM delivery_attempts a WHERE a.delivery_id = d.id ORDER BY a.id DESC LIMIT 1
    ) last ON true
    WHERE d.status = 'failed' AND d.id < :before ORDER BY d.id DESC LIMIT :limit OFFSET :offset
""")


async def page(tx: Tx, paging: Paging) -> list[FailedDelivery]:
    """The newest first."""
    rows = (await tx.execute(PAGE, paging.values)).mappings()
    return [
        FailedDelivery(
            recipient=Sender(row["user_id"], row["name"]),
            **{name: value for name, value in row.items() if name not in ("user_id", "name")},
        )
        for row in rows
    ]
