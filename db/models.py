"""The tables. Times are by the database's clock; states are text with a CHECK.

`modseq` (RFC 7162) is a change number. Every change to what a user sees in the inbox takes the next one from the user's
row in `inboxes`, or for broadcasts from the one row of `broadcast_clock`, and stamps the rows it touched. The row lock
makes numbers visible in order and without holes, so "what changed after 41?" has an exact answer.
"""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from advanced_alchemy.base import DefaultBase, IdentityBase
from advanced_alchemy.types import DateTimeUTC
from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column


class Role(StrEnum):
    """What a user may do: a member sends to oneself, a sender to anyone, an admin also runs the place."""

    MEMBER = "member"
    SENDER = "sender"
    ADMIN = "admin"


class Channel(StrEnum):
    """A way a notification reaches its recipient."""

    INBOX = "inbox"
    EMAIL = "email"
    DESKTOP = "desktop"


class ReceiptState(StrEnum):
    """What a user did with a broadcast. No receipt means unread; `unread` is one that was read and marked back."""

    READ = "read"
    UNREAD = "unread"
    HIDDEN = "hidden"


class DeliveryStatus(StrEnum):
    """Where an e-mail stands."""

    SCHEDULED = "scheduled"
    PENDING = "pending"
    PROCESSING = "processing"
    SENT = "sent"
    FAILED = "failed"
    UNCERTAIN = "uncertain"
    CANCELLED = "cancelled"
    SUPPRESSED = "suppressed"
    EXPIRED = "expired"


def one_of(column: str, states: type[StrEnum], *more: str) -> CheckConstraint:
    allowed = ", ".join(f"'{state}'" for state in (*more, *states))
    return CheckConstraint(f"{column} IN ({allowed})", name=column)


def now() -> Mapped[datetime]:
    return mapped_column(DateTimeUTC, server_default=func.now())


def moment() -> Mapped[datetime | None]:
    return mapped_column(DateTimeUTC)


def number(default: int = 0) -> Mapped[int]:
    return mapped_column(BigInteger, server_default=text(str(default)))


def user_key(*, primary_key: bool = False) -> Mapped[int]:
    return mapped_column(BigInteger, ForeignKey("users.id", ondelete="CASCADE"), primary_key=primary_key)


def notification_key(*, primary_key: bool = False) -> Mapped[int]:
    return mapped_column(BigInteger, ForeignKey("notifications.id", ondelete="CASCADE"), primary_key=primary_key)


class User(IdentityBase):
    __tablename__ = "users"
    __table_args__ = (Index("ux_users_email", text("lower(email)"), unique=True), one_of("role", Role))

    email: Mapped[str] = mapped_column(Text)
    password_hash: Mapped[str] = mapped_column(Text)
    display_name: Mapped[str] = mapped_column(Text, server_default="")
    role: Mapped[str] = mapped_column(Text, server_default=Role.MEMBER)
    email_verified_at: Mapped[datetime | None] = moment()
    time_zone: Mapped[str] = mapped_column(Text, server_default="UTC")
    language: Mapped[str] = mapped_column(Text, server_default="en")
    disabled_at: Mapped[datetime | None] = moment()
    created_at: Mapped[datetime] = now()


class Inbox(DefaultBase):
    """A user's counters, made with the user. `unread` counts personal notifications; `floor` is where replay ends."""

    __tablename__ = "inboxes"
    __table_args__ = (CheckConstraint("unread >= 0", name="unread"), {"postgresql_with": {"fillfactor": "70"}})

    user_id: Mapped[int] = user_key(primary_key=True)
    modseq: Mapped[int] = number()
    unread: Mapped[int] = number()
    broadcasts_from: Mapped[int] = number()
    floor: Mapped[int] = number()


class BroadcastClock(DefaultBase):
    """One row: the number of the newest change to the broadcasts, and where their replay ends."""

    __tablename__ = "broadcast_clock"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    modseq: Mapped[int] = number()
    floor: Mapped[int] = number()


class Notification(IdentityBase):
    """A message to one user, or with `user_id` NULL to everyone.

    Without a `modseq` it is in no inbox, and without a `visible_at` it has not arrived at all.
    """

    __tablename__ = "notifications"
    __table_args__ = (
        one_of("status", DeliveryStatus, "none"),
        CheckConstraint("priority BETWEEN 1 AND 5", name="priority"),
        CheckConstraint("char_length(title) BETWEEN 1 AND 255", name="title"),
        CheckConstraint("char_length(content) <= 20000", name="content"),
        # the inbox page, of any state and of one
        Index(
            "ix_notifications_inbox",
            "user_id",
            text("visible_at DESC"),
            text("id DESC"),
            postgresql_where=text("modseq IS NOT NULL AND deleted_at IS NULL"),
        ),
        *(
            Index(
                f"ix_notifications_{state}",
                "user_id",
                text("visible_at DESC"),
                text("id DESC"),
                postgresql_where=text(f"modseq IS NOT NULL AND deleted_at IS NULL AND read_at IS {null}"),
            )
            for state, null in (("unread", "NULL"), ("read", "NOT NULL"))
        ),
        # what changed after a position
        Index("ix_notifications_changes", "user_id", "modseq", postgresql_where=text("modseq IS NOT NULL")),
        Index(
            "ux_notifications_broadcasts",
            "modseq",
            unique=True,
            postgresql_where=text("user_id IS NULL AND modseq IS NOT NULL"),
        ),
        Index(
            "ix_notifications_broadcast_list",
            text("visible_at DESC"),
            text("id DESC"),
            postgresql_where=text("user_id IS NULL"),
        ),
        Index("ix_notifications_sent", "sender_id", text("id DESC")),
        # what is to arrive, and what never did
        Index("ix_notifications_scheduled", "send_at", postgresql_where=text("status = 'scheduled'")),
        Index(
            "ix_notifications_never_arrived",
            "updated_at",
            postgresql_where=text("status = 'cancelled' AND visible_at IS NULL"),
        ),
        Index("ix_notifications_age", "visible_at", postgresql_where=text("user_id IS NOT NULL")),
        # broadcasts that retention is removing; nearly always empty
        Index("ix_notifications_withdrawn", "id", postgresql_where=text("user_id IS NULL AND deleted_at IS NOT NULL")),
        {"postgresql_with": {"fillfactor": "85"}},
    )

    user_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="CASCADE"))
    sender_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="SET NULL"))
    modseq: Mapped[int | None] = mapped_column(BigInteger)
    title: Mapped[str] = mapped_column(Text)
    content: Mapped[str] = mapped_column(Text, server_default="")
    link: Mapped[str | None] = mapped_column(Text)
    priority: Mapped[int] = mapped_column(SmallInteger, server_default=text("3"))
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    channels: Mapped[list[str]] = mapped_column(ARRAY(Text))
    status: Mapped[str] = mapped_column(Text, server_default="none")
    send_at: Mapped[datetime | None] = moment()
    expires_at: Mapped[datetime | None] = moment()
    visible_at: Mapped[datetime | None] = moment()
    read_at: Mapped[datetime | None] = moment()
    deleted_at: Mapped[datetime | None] = moment()
    created_at: Mapped[datetime] = now()
    updated_at: Mapped[datetime] = now()


class BroadcastReceipt(DefaultBase):
    """Written only when a user acts on a broadcast, so that sending one is one row whatever the number of users."""

    __tablename__ = "broadcast_receipts"
    __table_args__ = (
        one_of("state", ReceiptState),
        Index("ix_broadcast_receipts_changes", "user_id", "modseq"),
        Index("ix_broadcast_receipts_notification", "notification_id", "user_id"),
    )

    user_id: Mapped[int] = user_key(primary_key=True)
    notification_id: Mapped[int] = notification_key(primary_key=True)
    state: Mapped[str] = mapped_column(Text)
    modseq: Mapped[int] = mapped_column(BigInteger)
    read_at: Mapped[datetime | None] = moment()


class Delivery(IdentityBase):
    """The ledger of the send queue: one e-mail to one recipient. `lane` 0 security, 1 personal, 2 broadcast.

    `worker` is who claimed it last.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        one_of("status", DeliveryStatus),
        UniqueConstraint("notification_id", "user_id", "channel"),
        Index("ix_deliveries_due", "lane", "due_at", postgresql_where=text("status = 'pending'")),
        Index("ix_deliveries_leased", "leased_until", postgresql_where=text("status = 'processing'")),
        Index("ix_deliveries_failed", "id", postgresql_where=text("status = 'failed'")),
        Index("ix_deliveries_user", "user_id"),
        {"postgresql_with": {"fillfactor": "85"}},
    )

    notification_id: Mapped[int] = notification_key()
    user_id: Mapped[int] = user_key()
    channel: Mapped[str] = mapped_column(Text, server_default=Channel.EMAIL)
    lane: Mapped[int] = mapped_column(SmallInteger)
    status: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    attempts: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    due_at: Mapped[datetime] = now()
    lease_token: Mapped[UUID | None] = mapped_column(Uuid)
    leased_until: Mapped[datetime | None] = moment()
    worker: Mapped[str | None] = mapped_column(Text)
    handed_over_at: Mapped[datetime | None] = moment()
    last_error: Mapped[str | None] = mapped_column(Text)
    smtp_code: Mapped[int | None] = mapped_column(Integer)
    created_at: Mapped[datetime] = now()
    sent_at: Mapped[datetime | None] = moment()


class DeliveryAttempt(IdentityBase):
    """One try at a delivery: which worker, when, and what the SMTP server said."""

    __tablename__ = "delivery_attempts"
    __table_args__ = (Index("ix_delivery_attempts_delivery", "delivery_id"),)

    delivery_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("deliveries.id", ondelete="CASCADE"))
    worker: Mapped[str] = mapped_column(Text)
    started_at: Mapped[datetime] = mapped_column(DateTimeUTC)
    ended_at: Mapped[datetime] = now()
    outcome: Mapped[str] = mapped_column(Text)
    code: Mapped[int | None] = mapped_column(Integer)
    text: Mapped[str | None] = mapped_column(Text)


class Expansion(DefaultBase):
    """How far the e-mails of a broadcast have been created: everyone up to `after_user_id` has one.

    The audience is who could see the broadcast when it was accepted: `broadcasts_from < broadcasts_below` and an id not
    above `last_user_id`; `total` is their number, known from the first chunk on. Of the `expanded` e-mails `ended` are
    in a final state, `sent` and `failed` of them in these; a trigger on `deliveries` keeps these, and `rate`, in step.
    """

    __tablename__ = "expansions"
    __table_args__ = (Index("ix_expansions_open", "notification_id", postgresql_where=text("finished_at IS NULL")),)

    notification_id: Mapped[int] = notification_key(primary_key=True)
    broadcasts_below: Mapped[int] = mapped_column(BigInteger)
    last_user_id: Mapped[int] = mapped_column(BigInteger)
    after_user_id: Mapped[int] = number()
    total: Mapped[int] = number()
    expanded: Mapped[int] = number()
    sent: Mapped[int] = number()
    failed: Mapped[int] = number()
    ended: Mapped[int] = number()
    rate: Mapped[float] = mapped_column(Float, server_default=text("0"))
    rated_at: Mapped[datetime | None] = moment()
    sending_since: Mapped[datetime | None] = moment()
    told_at: Mapped[datetime | None] = moment()
    started_at: Mapped[datetime] = now()
    finished_at: Mapped[datetime | None] = moment()


class Idempotency(DefaultBase):
    """The first answer to a keyed request (draft-ietf-httpapi-idempotency-key-header), given again to its repeats."""

    __tablename__ = "idempotency"
    __table_args__ = (Index("ix_idempotency_age", "created_at"),)

    user_id: Mapped[int] = user_key(primary_key=True)
    route: Mapped[str] = mapped_column(Text, primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    request_hash: Mapped[bytes] = mapped_column(LargeBinary)
    response: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = now()
