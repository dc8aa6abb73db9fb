"""The tables of what was sent to whom.

`modseq` (RFC 7162) is a change number. Every change to what a user sees in the inbox takes the next one from the user's
row in `inboxes`, or for broadcasts from the one row of `broadcast_clock`, and stamps the rows it touched. The row lock
makes numbers visible in order and without holes, so "what changed after 41?" has an exact answer.
"""

from datetime import datetime
from enum import StrEnum

from advanced_alchemy.base import DefaultBase, IdentityBase
from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    Text,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from db.models.columns import moment, notification_key, now, number, one_of, user_key
from db.models.mail import DeliveryStatus


class ReceiptState(StrEnum):
    """What a user did with a broadcast. No receipt means unread; `unread` is one that was read and marked back."""

    READ = "read"
    UNREAD = "unread"
    HIDDEN = "hidden"


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
