"""What happened to a notification, from being accepted to being read."""

from datetime import datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import text

from db import Tx
from db.queries.notifications import Sender

MOST_ATTEMPTS = 1_000  # tries begin anew each time somebody asks for more


class Attempt(msgspec.Struct, frozen=True):
    """One try: which worker, when, and what the mail server said. `outcome` is one of `Result`, or `lost`."""

    worker: str
    started_at: datetime
    ended_at: datetime
    outcome: str
    code: int | None
    text: str | None


class DeliveryTrace(msgspec.Struct, frozen=True, kw_only=True):
    """One e-mail. `worker` is who holds it while it is `processing`; `due_at` is when it is tried next or was last."""

    user_id: int
    channel: str
    status: str
    reason: str | None
    queued_at: datetime | None
    due_at: datetime
    worker: str | None
    handed_over_at: datetime | None
    sent_at: datetime | None
    attempts: list[Attempt]


class ExpansionTrace(msgspec.Struct, frozen=True, kw_only=True):
    """How the e-mails of a broadcast were created: `created` of them, from `started_at` to `finished_at`."""

    started_at: datetime
    finished_at: datetime | None
    created: int


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of a notification; of a broadcast's readers and deliveries, one user's: the `recipient`'s."""

    id: int
    type: Literal["personal", "broadcast"]
    title: str
    status: str
    reason: str | None
    accepted_at: datetime
    send_at: datetime | None
    expires_at: datetime | None
    arrived_at: datetime | None
    recipient: Sender | None
    expansion: ExpansionTrace | None
    deliveries: list[DeliveryTrace]
    read_at: datetime | None


NOTIFICATION = text("""
    SELECT n.id, CASE WHEN n.user_id IS NULL THEN 'broadcast' ELSE 'personal' END AS type, n.title, n.status,
           n.created_at AS accepted_at, n.send_at, n.expires_at, n.visible_at AS arrived_at,
           CASE WHEN n.user_id IS NULL THEN r.read_at ELSE n.read_at END AS read_at,
           u.id AS recipient_id, coalesce(nullif(u.display_name, ''), u.email) AS recipient_name
    FROM notifications n
    LEFT JOIN users u ON u.id = coalesce(n.user_id, CAST(:user AS bigint))
    LEFT JOIN broadcast_receipts r ON r.notification_id = n.id AND r.user_id = CAST(:user AS bigint)
    WHERE n.id = :id
""")
EXPANSION = text("""
    SELECT greatest(e.started_at, n.visible_at) AS started_at, e.finished_at, e.expanded AS created
    FROM expansions e JOIN notifications n ON n.id = e.notification_id WHERE e.notification_id = :id
""")
DELIVERY = text("""
    SELECT d.id, d.user_id, d.channel, d.status, d.reason, d.due_at,
           CASE WHEN n.visible_at IS NOT NULL THEN greatest(d.created_at, n.visible_at) END AS queued_at,
           CASE WHEN d.status = 'processing' THEN d.worker END AS worker, d.handed_over_at, d.sent_at
    FROM deliveries d JOIN notifications n ON n.id = d.notification_id
    WHERE d.notification_id = :id AND (n.user_id IS NOT NULL OR d.user_id = CAST(:user AS bigint))
    ORDER BY d.id
""")
ATTEMPTS = text("""
    SELECT worker, started_at, ended_at, outcome, code, text FROM (
        SELECT * FROM delivery_attempts WHERE delivery_id = :delivery ORDER BY id DESC LIMIT :limit
    ) newest ORDER BY id
""")


async def trace(tx: Tx, notification_id: int, *, user_id: int | None = None) -> Trace | None:
    """Read in one snapshot. `user_id` says whose delivery and reading of a broadcast; a personal one has but one."""
    values = {"id": notification_id, "user": user_id}
    found = (await tx.execute(NOTIFICATION, values)).mappings().one_or_none()
    if found is None:
        return None
    known = dict(found)
    recipient_id, recipient_name = known.pop("recipient_id"), known.pop("recipient_name")
    expansion = (await tx.execute(EXPANSION, values)).mappings().one_or_none()
    deliveries = [await _delivery(tx, dict(row)) for row in (await tx.execute(DELIVERY, values)).mappings().all()]
    reason = next((each.reason for each in deliveries), None)
    return Trace(
        **known,
        recipient=None if recipient_id is None else Sender(recipient_id, recipient_name),
        reason=reason or (_why_cancelled(found["arrived_at"]) if found["status"] == "cancelled" else None),
        expansion=ExpansionTrace(**expansion) if expansion else None,
        deliveries=deliveries,
    )


async def _delivery(tx: Tx, row: dict[str, Any]) -> DeliveryTrace:
    attempts = await tx.execute(ATTEMPTS, {"delivery": row.pop("id"), "limit": MOST_ATTEMPTS})
    return DeliveryTrace(**row, attempts=[Attempt(**attempt) for attempt in attempts.mappings()])


def _why_cancelled(arrived_at: datetime | None) -> str:
    return "cancelled before it arrived" if arrived_at is None else "cancelled before all its e-mails were sent"
