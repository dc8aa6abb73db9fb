"""The tables of users, each with an inbox, and of those who will be users."""

from datetime import datetime
from enum import StrEnum

from advanced_alchemy.base import DefaultBase, IdentityBase
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Text,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from db.models.columns import moment, now, number, one_of, user_key


class Role(StrEnum):
    """What a user may do: a member sends to oneself, a sender to anyone, an admin also runs the place."""

    MEMBER = "member"
    SENDER = "sender"
    ADMIN = "admin"


class User(IdentityBase):
    """Who has `deleted_at` is gone for everybody, and only the rows that belonged to them are still being removed."""

    __tablename__ = "users"
    __table_args__ = (
        Index("ux_users_email", text("lower(email)"), unique=True),
        Index("ix_users_admins", "id", postgresql_where=text("role = 'admin' AND disabled_at IS NULL")),
        Index("ix_users_deleted", "id", postgresql_where=text("deleted_at IS NOT NULL")),
        one_of("role", Role),
        CheckConstraint("deleted_at IS NULL OR disabled_at IS NOT NULL", name="deleted"),
    )

    email: Mapped[str] = mapped_column(Text)
    password_hash: Mapped[str] = mapped_column(Text)
    display_name: Mapped[str] = mapped_column(Text, server_default="")
    role: Mapped[str] = mapped_column(Text, server_default=Role.MEMBER)
    email_verified_at: Mapped[datetime | None] = moment()
    time_zone: Mapped[str] = mapped_column(Text, server_default="UTC")
    language: Mapped[str] = mapped_column(Text, server_default="en")
    disabled_at: Mapped[datetime | None] = moment()
    deleted_at: Mapped[datetime | None] = moment()
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


class PendingAccount(DefaultBase):
    """An account that is made when the link of its mail is used: somebody registered, or was invited.

    Who registered has chosen a password, and who is invited chooses one then. `invited_by` NULL is the command line.
    """

    __tablename__ = "pending_accounts"
    __table_args__ = (one_of("role", Role), Index("ix_pending_accounts_invited_by", "invited_by"))

    mail_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("security_mails.id", ondelete="CASCADE"), primary_key=True
    )
    role: Mapped[str] = mapped_column(Text)
    password_hash: Mapped[str | None] = mapped_column(Text)
    display_name: Mapped[str] = mapped_column(Text, server_default="")
    time_zone: Mapped[str] = mapped_column(Text, server_default="UTC")
    invited_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="CASCADE"))
