"""What columns of all tables have in common. Times are by the database's clock; states are text with a CHECK."""

from datetime import datetime
from enum import StrEnum

from advanced_alchemy.types import DateTimeUTC
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column


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


def session_key(*, primary_key: bool = False) -> Mapped[int]:
    return mapped_column(BigInteger, ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=primary_key)
