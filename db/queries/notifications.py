"""Notifications as rows and as the items people see."""

from datetime import datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import TextClause, text
from sqlalchemy.engine import RowMapping

from db import Tx
from db.queries.audit import RECORD_MADE, Note
from db.queries.paging import Paging


class Sender(msgspec.Struct, frozen=True):
    id: int
    name: str


class Item(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A notification as one of its readers sees it: in lists, alone, and in the stream.

    `created_at` is its place in lists: when it arrived, or, before that, when it was accepted. `send_at` and
    `expires_at` are there only where they were given.
    """

    id: int
    type: Literal["personal", "broadcast"]
    title: str
    content: str
    link: str | None
    priority: int
    tags: list[str]
    channels: list[str]
    sender: Sender | None
    state: Literal["read", "unread"]
    status: str
    created_at: datetime
    updated_at: datetime
    read_at: datetime | None
    send_at: datetime | None = None
    expires_at: datetime | None = None


class SentItem(Item, frozen=True, kw_only=True, omit_defaults=True):
    """A notification as its sender sees it: also to whom it went."""

    recipient: Sender


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What is said, apart from to whom.

    With `send_at` it is nowhere before that, and after `expires_at` no e-mail is sent.
    """

    title: str
    content: str
    link: str | None
    priority: int
    tags: list[str]
    channels: list[str]
    send_at: datetime | None = None
    expires_at: datetime | None = None

    @property
    def numbered(self) -> bool:
        """Whether it goes into inboxes now, and so takes numbers."""
        return "inbox" in self.channels and self.send_at is None

    @property
    def values(self) -> dict[str, Any]:
        email = "email" in self.channels
        return msgspec.structs.asdict(self) | {
            "numbered": self.numbered,
            "email": email,
            "status": "scheduled" if self.send_at else "pending" if email else "none",
        }


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """A row that just arrived: the inbox number it took (None without the inbox channel) and the personal unread count.

    Or one that is `scheduled`, and has neither yet.
    """

    id: int
    user_id: int | None
    modseq: int | None
    unread: int | None
    status: str
    at: datetime


# One item of a query that names the notification `n`, its sender `s`, and the reader's `read_at`.
ITEM_COLUMNS = """
    n.id, n.user_id, n.title, n.content, n.link, n.priority, n.tags, n.channels, n.status,
    coalesce(n.visible_at, n.created_at) AS created_at, n.updated_at, n.send_at, n.expires_at,
    n.sender_id, coalesce(nullif(s.display_name, ''), s.email) AS sender_name
"""


def item(row: RowMapping) -> Item:
    """Build the item of a row with `ITEM_COLUMNS` and `read_at`."""
    return Item(
        id=row["id"],
        type="broadcast" if row["user_id"] is None else "personal",
        title=row["title"],
        content=row["content"],
        link=row["link"],
        priority=row["priority"],
        tags=row["tags"],
        channels=row["channels"],
        sender=None if row["sender_id"] is None else Sender(row["sender_id"], row["sender_name"]),
        state="unread" if row["read_at"] is None else "read",
        status=row["status"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        read_at=row["read_at"],
        send_at=row["send_at"],
        expires_at=row["expires_at"],
    )


INSERTED = "title, content, link, priority, tags, channels, status, send_at, expires_at"
GIVEN = """
    :title, :content, :link, :priority, CAST(:tags AS text[]), CAST(:channels AS text[]), :status,
    CAST(:send_at AS timestamptz), CAST(:expires_at AS timestamptz)
"""
NOW_OR_LATER = "CASE WHEN :status <> 'scheduled' THEN at END"  # when it becomes visible

# Writers to several inboxes take them in one order; a bare UPDATE ... = ANY would deadlock with another.
LOCK_INBOXES = text("SELECT 1 FROM inboxes WHERE user_id = ANY(:users) ORDER BY user_id FOR UPDATE")


def _insert(wanted: str) -> TextClause:
    """Insert for each row of the query `wanted` (user_id, position).

    `clock_timestamp()` is taken under the inbox's lock, so that the order of arrival is the order of numbers.
    """
    return text(f"""
        WITH wanted AS (
            {wanted}
        ), box AS (
            UPDATE inboxes SET modseq = modseq + 1, unread = unread + 1
            WHERE user_id IN (SELECT user_id FROM wanted) AND :numbered
            RETURNING user_id, modseq, unread, clock_timestamp() AS at
        ), recipient AS (
            SELECT user_id, position, box.modseq, box.unread, coalesce(box.at, clock_timestamp()) AS at
            FROM wanted LEFT JOIN box USING (user_id)
        ), made AS (
            INSERT INTO notifications (user_id, sender_id, modseq, visible_at, created_at, updated_at, {INSERTED})
            SELECT user_id, CAST(:sender_id AS bigint), modseq, {NOW_OR_LATER}, at, at, {GIVEN}
            FROM recipient ORDER BY position
            RETURNING id, user_id, modseq, status, created_at AS at
        ), delivery AS (
            INSERT INTO deliveries (notification_id, user_id, lane, status, due_at)
            SELECT id, user_id, 1, status, coalesce(CAST(:send_at AS timestamptz), now()) FROM made WHERE :email
        )
        SELECT made.id, user_id, made.modseq, recipient.unread, made.status, made.at
        FROM made JOIN recipient USING (user_id) ORDER BY recipient.position
    """)  # noqa: S608


INSERT = _insert("SELECT * FROM unnest(CAST(:users AS bigint[])) WITH ORDINALITY AS u (user_id, position)")
USER = "SELECT id AS user_id, 1 AS position FROM users WHERE disabled_at IS NULL AND"
INSERT_BY_ID = _insert(f"{USER} id = :to")
INSERT_BY_EMAIL = _insert(f"{USER} lower(email) = lower(:to)")

# The audience of the broadcast `made` is fixed when it arrives.
EXPANSION = """
    INSERT INTO expansions (notification_id, broadcasts_below, last_user_id)
    SELECT made.id, coalesce(made.modseq, (SELECT modseq + 1 FROM broadcast_clock)),
           (SELECT coalesce(max(users.id), 0) FROM users)
"""
INSERT_BROADCAST = text(f"""
    WITH clock AS (
        UPDATE broadcast_clock SET modseq = modseq + 1 WHERE :numbered RETURNING modseq, clock_timestamp() AS at
    ), moment AS (
        SELECT coalesce((SELECT at FROM clock), clock_timestamp()) AS at
    ), made AS (
        INSERT INTO notifications (sender_id, modseq, visible_at, created_at, updated_at, {INSERTED})
        SELECT CAST(:sender_id AS bigint), (SELECT modseq FROM clock), {NOW_OR_LATER}, at, at, {GIVEN} FROM moment
        RETURNING id, user_id, modseq, status, created_at AS at
    ), expansion AS (
        {EXPANSION} FROM made WHERE :email AND status = 'pending'
    ), recorded AS (
        {RECORD_MADE}
    )
    SELECT id, user_id, modseq, NULL AS unread, status, at FROM made
""")  # noqa: S608

NOTHING_TO_RECORD: dict[str, object] = dict.fromkeys(("actor_id", "actor", "action", "detail"))

STATUSES = text("SELECT id, status, updated_at FROM notifications WHERE id = ANY(:ids)")

# A reader sees what is in the inbox; a sender sees what was sent, wherever it went.
ONE = text(f"""
    SELECT {ITEM_COLUMNS}, CASE WHEN n.user_id IS NULL THEN r.read_at ELSE n.read_at END AS read_at,
        n.sender_id = :user AS sent,
        n.user_id = :user AND n.visible_at IS NOT NULL AND n.deleted_at IS NULL
        OR n.user_id IS NULL AND n.modseq > i.broadcasts_from AND coalesce(r.state, 'unread') <> 'hidden' AS received
    FROM notifications n
    JOIN inboxes i ON i.user_id = :user
    LEFT JOIN users s ON s.id = n.sender_id
    LEFT JOIN broadcast_receipts r ON r.notification_id = n.id AND r.user_id = :user
    WHERE n.id = :id
""")  # noqa: S608

SENT = text(f"""
    SELECT {ITEM_COLUMNS}, n.read_at, coalesce(nullif(r.display_name, ''), r.email) AS recipient_name
    FROM notifications n LEFT JOIN users s ON s.id = n.sender_id JOIN users r ON r.id = n.user_id
    WHERE n.sender_id = :user AND n.user_id IS NOT NULL AND n.id < :before
    ORDER BY n.id DESC LIMIT :limit OFFSET :offset
""")  # noqa: S608


async def insert(tx: Tx, users: list[int], message: Message, *, sender_id: int | None) -> list[Sent]:
    """Put a message into the inboxes of the given, distinct users and queue its e-mails; rows in the users' order.

    With `send_at` it is kept for later: `db.queries.arrivals`.
    """
    if len(users) > 1 and message.numbered:
        await tx.execute(LOCK_INBOXES, {"users": users})
    rows = await tx.execute(INSERT, message.values | {"users": users, "sender_id": sender_id})
    return [Sent(**row) for row in rows.mappings()]


async def insert_one(tx: Tx, to: int | str, message: Message, *, sender_id: int | None) -> Sent | None:
    """As `insert`, in one statement, for the user with this id or e-mail address; None if no enabled user has it."""
    statement = INSERT_BY_ID if isinstance(to, int) else INSERT_BY_EMAIL
    row = (await tx.execute(statement, message.values | {"to": to, "sender_id": sender_id})).mappings().first()
    return Sent(**row) if row else None


async def insert_broadcast(tx: Tx, message: Message, *, sender_id: int | None, note: Note | None) -> Sent:
    """Put a message into everybody's inbox: one row; with e-mail, also the record of its expansion. One statement."""
    recorded = note.values if note else NOTHING_TO_RECORD
    rows = await tx.execute(INSERT_BROADCAST, message.values | {"sender_id": sender_id} | recorded)
    return Sent(**rows.mappings().one())


async def one(tx: Tx, notification_id: int, *, user_id: int) -> Item | None:
    """The item, if it has reached this user, who did not delete it, or was sent by this user."""
    row = (await tx.execute(ONE, {"id": notification_id, "user": user_id})).mappings().first()
    return item(row) if row and (row["received"] or row["sent"]) else None


async def sent(tx: Tx, paging: Paging, user_id: int) -> list[SentItem]:
    """What a user sent to single recipients, newest first."""
    rows = await tx.execute(SENT, {"user": user_id} | paging.values)
    return [
        SentItem(**msgspec.structs.asdict(item(row)), recipient=Sender(row["user_id"], row["recipient_name"]))
        for row in rows.mappings()
    ]


async def statuses(tx: Tx, ids: list[int]) -> dict[int, tuple[str, datetime]]:
    """The part of items that changes without a number: the status of the e-mail, and when it changed."""
    return {row.id: (row.status, row.updated_at) for row in await tx.execute(STATUSES, {"ids": ids})}
