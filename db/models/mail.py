"""The tables of outgoing mail: the send queue, mails about accounts, whom not to write to, and who is writing."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from advanced_alchemy.base import DefaultBase, IdentityBase
from advanced_alchemy.types import DateTimeUTC
from sqlalchemy import (
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
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from db.models.columns import moment, notification_key, now, number, one_of


class Channel(StrEnum):
    """A way a notification reaches its recipient."""

    INBOX = "inbox"
    EMAIL = "email"
    DESKTOP = "desktop"


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


class MailKind(StrEnum):
    """What a mail about an account is for. Those up to `INVITE` carry a link that works once."""

    REGISTER = "register"  # confirm the address, and the account is made
    VERIFY = "verify"  # confirm the address of an account
    ADDRESS = "address"  # confirm a new address for an account
    RESET = "reset"
    INVITE = "invite"
    EXISTS = "exists"  # somebody wanted to register with an address that has an account
    PASSWORD_CHANGED = "password_changed"  # noqa: S105
    ADDRESS_CHANGED = "address_changed"


class SecurityMail(IdentityBase):
    """A mail about an account to `email`, which need not be its user's; without `user_id` there is no account yet.

    With a link it has a `seed`, from which the secret key makes the token, and the token's hash; the token itself is
    nowhere. It works until `expires_at`, or until `ended_at`: then it was used, or something made it void.
    """

    __tablename__ = "security_mails"
    __table_args__ = (
        one_of("kind", MailKind),
        CheckConstraint("num_nonnulls(seed, token_hash, expires_at) IN (0, 3)", name="link"),
        Index("ux_security_mails_token", "token_hash", unique=True),
        Index("ix_security_mails_user", "user_id"),
        Index("ix_security_mails_age", "created_at"),
        Index("ix_security_mails_invited", text("lower(email)"), postgresql_where=text("kind = 'invite'")),
    )

    kind: Mapped[str] = mapped_column(Text)
    user_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="CASCADE"))
    email: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(Text)
    seed: Mapped[bytes | None] = mapped_column(LargeBinary)
    token_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = now()
    expires_at: Mapped[datetime | None] = moment()
    ended_at: Mapped[datetime | None] = moment()


class Delivery(IdentityBase):
    """The ledger of the send queue: one e-mail to one recipient. `lane` 0 security, 1 personal, 2 broadcast.

    It is of a notification or of a security mail; that may be to somebody who has no account. `worker` is who claimed
    it last.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        one_of("status", DeliveryStatus),
        CheckConstraint("num_nonnulls(notification_id, security_mail_id) = 1", name="one_cause"),
        CheckConstraint("user_id IS NOT NULL OR notification_id IS NULL", name="recipient"),
        UniqueConstraint("notification_id", "user_id", "channel"),
        Index("ix_deliveries_due", "lane", "due_at", postgresql_where=text("status = 'pending'")),
        Index("ix_deliveries_leased", "leased_until", postgresql_where=text("status = 'processing'")),
        Index("ix_deliveries_failed", "id", postgresql_where=text("status = 'failed'")),
        Index("ix_deliveries_user", "user_id"),
        Index(
            "ux_deliveries_security_mail",
            "security_mail_id",
            unique=True,
            postgresql_where=text("security_mail_id IS NOT NULL"),
        ),
        {"postgresql_with": {"fillfactor": "85"}},
    )

    notification_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("notifications.id", ondelete="CASCADE"))
    security_mail_id: Mapped[int | None] = mapped_column(
        BigInteger, ForeignKey("security_mails.id", ondelete="CASCADE")
    )
    user_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="CASCADE"))
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


class Scope(StrEnum):
    """Which mails an address gets no more."""

    ALL = "all"
    BROADCASTS = "broadcasts"


class SuppressionReason(StrEnum):
    BOUNCED = "bounced"
    UNSUBSCRIBED = "unsubscribed"
    MANUAL = "manual"


class Suppression(IdentityBase):
    """An address that gets no mail, or no broadcasts. `detail` of a bounce is what the server said."""

    __tablename__ = "suppressions"
    __table_args__ = (
        Index("ux_suppressions_address", text("lower(address)"), "scope", unique=True),
        one_of("scope", Scope),
        one_of("reason", SuppressionReason),
    )

    address: Mapped[str] = mapped_column(Text)
    scope: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    detail: Mapped[str] = mapped_column(Text, server_default="")
    created_at: Mapped[datetime] = now()


class Installation(DefaultBase):
    """One row, made by the migration: ids of deliveries start again in a new database, Message-IDs must not."""

    __tablename__ = "installation"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    key: Mapped[UUID] = mapped_column(Uuid, server_default=text("gen_random_uuid()"))
    created_at: Mapped[datetime] = now()
