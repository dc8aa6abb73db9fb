"""The tables of recurring broadcasts: what is to be sent when, and the ledger of what came of it."""

from datetime import datetime
from enum import StrEnum

from advanced_alchemy.base import IdentityBase
from advanced_alchemy.types import DateTimeUTC
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from db.models.columns import moment, now, number, one_of


class LatePolicy(StrEnum):
    """What becomes of a run that was missed: sent however late, or skipped after a grace time."""

    SEND = "send"
    SKIP = "skip"


class Outcome(StrEnum):
    """What came of a run."""

    SENT = "sent"
    SKIPPED = "skipped"
    FAILED = "failed"


class Schedule(IdentityBase):
    """`audience` NULL is everyone. The due times up to `considered_at` have their rows in the ledger.

    `sent` counts the runs that were sent. `next_due_at` NULL: there is no next time.
    """

    __tablename__ = "schedules"
    __table_args__ = (
        UniqueConstraint("name"),
        one_of("late_policy", LatePolicy),
        CheckConstraint("priority BETWEEN 1 AND 5", name="priority"),
        Index("ix_schedules_due", "next_due_at", postgresql_where=text("enabled")),
        Index("ix_schedules_owner", "owner_id"),
    )

    owner_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="SET NULL"))
    name: Mapped[str] = mapped_column(Text)
    cron: Mapped[str] = mapped_column(Text)
    time_zone: Mapped[str] = mapped_column(Text)
    audience: Mapped[list[int] | None] = mapped_column(ARRAY(BigInteger))
    title: Mapped[str] = mapped_column(Text)
    content: Mapped[str] = mapped_column(Text)
    link: Mapped[str | None] = mapped_column(Text)
    priority: Mapped[int] = mapped_column(SmallInteger)
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text))
    channels: Mapped[list[str]] = mapped_column(ARRAY(Text))
    enabled: Mapped[bool] = mapped_column(Boolean)
    late_policy: Mapped[str] = mapped_column(Text)
    grace_seconds: Mapped[int] = mapped_column(Integer)
    sent: Mapped[int] = number()
    considered_at: Mapped[datetime] = now()
    next_due_at: Mapped[datetime | None] = moment()
    created_at: Mapped[datetime] = now()
    updated_at: Mapped[datetime] = now()


class ScheduleRun(IdentityBase):
    """One due time of a schedule, or a run by hand. Unique: whoever inserts the row sends, in the same transaction."""

    __tablename__ = "schedule_runs"
    __table_args__ = (
        UniqueConstraint("schedule_id", "due_at"),
        one_of("outcome", Outcome),
        Index("ix_schedule_runs_ledger", "schedule_id", text("id DESC")),
        Index("ix_schedule_runs_age", "started_at"),
    )

    schedule_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("schedules.id", ondelete="CASCADE"))
    due_at: Mapped[datetime] = mapped_column(DateTimeUTC)
    started_at: Mapped[datetime] = now()
    manual: Mapped[bool] = mapped_column(Boolean)
    outcome: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    notification_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), server_default=text("'{}'"))
