"""The tables of outgoing mail beside the queue itself: whom not to write to, and which installation is writing."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from advanced_alchemy.base import DefaultBase, IdentityBase
from sqlalchemy import CheckConstraint, Index, SmallInteger, Text, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models import now, one_of


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
