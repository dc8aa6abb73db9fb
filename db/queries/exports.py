"""Everything of one user as JSON, a page at a time: nothing is open while somebody's slow connection takes it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import text

from db import Tx

__all__ = ["PAGE", "SECTIONS", "Place", "account", "read"]

PAGE = 500

ACCOUNT = text("""
    SELECT to_json(a)::text FROM (
        SELECT id, email, email_verified_at, display_name, role, time_zone, language, created_at
        FROM users WHERE id = :user
    ) a
""")


class Place(NamedTuple):
    """Where the next page of a section begins: after this."""

    at: datetime = datetime.max.replace(tzinfo=UTC)
    id: int = 0


# Each in an order that an index has and that no later change touches. Of other people there is what the inbox shows,
# and of what was sent to whom the number.
SECTIONS = {
    name: text(f"SELECT at, id, (to_jsonb(page) - 'at')::text AS document FROM ({statement} LIMIT :limit) page")  # noqa: S608
    for name, statement in {
        "notifications": """
            SELECT n.visible_at AS at, n.id, n.title, n.content, n.link, n.priority, n.tags, n.channels, n.status,
                   coalesce(nullif(s.display_name, ''), s.email) AS sender, n.visible_at AS created_at, n.read_at
            FROM notifications n LEFT JOIN users s ON s.id = n.sender_id
            WHERE n.user_id = :user AND n.modseq IS NOT NULL AND n.deleted_at IS NULL
            AND (n.visible_at, n.id) < (:at, CASE WHEN :id = 0 THEN 9223372036854775807 ELSE :id END)
            ORDER BY n.visible_at DESC, n.id DESC
        """,
        "broadcasts": """
            SELECT now() AS at, n.modseq AS id, n.title, n.content, n.link, n.priority, n.tags,
                   coalesce(nullif(s.display_name, ''), s.email) AS sender, n.visible_at AS created_at, r.read_at
            FROM notifications n JOIN inboxes i ON i.user_id = :user LEFT JOIN users s ON s.id = n.sender_id
            LEFT JOIN broadcast_receipts r ON r.notification_id = n.id AND r.user_id = :user
            WHERE n.user_id IS NULL AND n.modseq > greatest(i.broadcasts_from, :id)
            AND coalesce(r.state, 'unread') <> 'hidden'
            ORDER BY n.modseq
        """,
        "sent": """
            SELECT now() AS at, n.id, n.user_id AS to, n.title, n.content, n.link, n.priority, n.tags, n.channels,
                   n.status, n.send_at, n.expires_at, n.created_at
            FROM notifications n WHERE n.sender_id = :user AND n.id > :id ORDER BY n.id
        """,
        "emails": """
            SELECT now() AS at, d.id, coalesce(m.email, u.email) AS email, coalesce(n.title, m.kind) AS about,
                   d.status, d.reason, d.created_at, d.sent_at
            FROM deliveries d JOIN users u ON u.id = d.user_id LEFT JOIN notifications n ON n.id = d.notification_id
            LEFT JOIN security_mails m ON m.id = d.security_mail_id
            WHERE d.user_id = :user AND d.id > :id ORDER BY d.id
        """,
        "schedules": """
            SELECT now() AS at, s.id, s.name, s.cron, s.time_zone, s.title, s.content, s.link, s.priority, s.tags,
                   s.channels, s.enabled, s.created_at
            FROM schedules s WHERE s.owner_id = :user AND s.id > :id ORDER BY s.id
        """,
        "logins": """
            SELECT now() AS at, s.id, s.user_agent, s.created_at, s.last_seen_at, s.expires_at
            FROM sessions s WHERE s.user_id = :user AND s.scopes IS NULL AND s.id > :id ORDER BY s.id
        """,
        "api_keys": """
            SELECT now() AS at, s.id, k.name, s.scopes, k.networks, s.created_at, s.last_seen_at, k.ends_at
            FROM sessions s JOIN api_keys k ON k.session_id = s.id WHERE s.user_id = :user AND s.id > :id ORDER BY s.id
        """,
        "suppressions": """
            SELECT now() AS at, s.id, s.address, s.scope, s.reason, s.created_at
            FROM suppressions s JOIN users u ON u.id = :user
            WHERE lower(s.address) = lower(u.email) AND s.id > :id ORDER BY s.id
        """,
        "actions": """
            SELECT a.at, a.id, a.action, a.at AS done_at
            FROM audit a WHERE a.actor_id = :user AND a.id > :id ORDER BY a.id
        """,
    }.items()
}


async def account(tx: Tx, user_id: int) -> bytes:
    """The account itself, as JSON; null if it is gone."""
    return str(await tx.scalar(ACCOUNT, {"user": user_id}) or "null").encode()


async def read(tx: Tx, section: str, user_id: int, after: Place) -> tuple[Sequence[bytes], Place | None]:
    """The next items of a section, each as JSON, and where those after them begin. None: that was all."""
    values = {"user": user_id, "at": after.at, "id": after.id, "limit": PAGE}
    rows = (await tx.execute(SECTIONS[section], values)).all()
    following = Place(rows[-1].at, rows[-1].id) if len(rows) == PAGE else None
    return [row.document.encode() for row in rows], following
