"""The tables of users, each with an inbox."""

from datetime import datetime
from enum import StrEnum

from advanced_alchemy.base import DefaultBase, IdentityBase
from sqlalchemy import (
    CheckConstraint,
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
