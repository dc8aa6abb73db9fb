"""The table of what was done, by whom. A row is written in the transaction that does it."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from advanced_alchemy.base import IdentityBase
from sqlalchemy import BigInteger, ForeignKey, Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from db.models.columns import now


class Action(StrEnum):
    """What can be done that is worth remembering."""

    BROADCAST_SENT = "broadcast.sent"
    BROADCAST_REFUSED = "broadcast.refused"
    JOB_DISCARDED = "job.discarded"
    SCHEDULE_CREATED = "schedule.created"
    SCHEDULE_CHANGED = "schedule.changed"
    SCHEDULE_DELETED = "schedule.deleted"
    SCHEDULE_RUN = "schedule.run"
    LOGIN_SUCCEEDED = "login.succeeded"
    LOGIN_FAILED = "login.failed"
    LOGGED_OUT = "login.ended"
    REFRESH_REUSED = "refresh.reused"
    SESSIONS_ENDED = "sessions.ended"
    KEY_CREATED = "key.created"
    KEY_USED = "key.used"
    KEY_REVOKED = "key.revoked"
    ACTED_AS = "user.acted_as"
    USER_CREATED = "user.created"
    USER_ROLE_CHANGED = "user.role_changed"
    USER_PASSWORD_CHANGED = "user.password_changed"  # noqa: S105
    USER_EMAIL_VERIFIED = "user.email_verified"
    USER_EMAIL_CHANGED = "user.email_changed"
    USER_DISABLED = "user.disabled"
    USER_ENABLED = "user.enabled"
    USER_EXPORTED = "user.exported"
    USER_DELETED = "user.deleted"
    USER_INVITED = "user.invited"
    INVITATION_REVOKED = "invitation.revoked"
    REGISTRATION_REQUESTED = "registration.requested"
    RESET_REQUESTED = "reset.requested"
    CHANGE_REQUESTED = "email_change.requested"


class Audit(IdentityBase):
    """`actor` stays when the account goes. `detail` never holds a secret, nor the content of what was refused."""

    __tablename__ = "audit"
    __table_args__ = (
        Index("ix_audit_action", "action", text("id DESC")),
        Index("ix_audit_age", "at"),
        Index("ix_audit_actor", "actor_id"),
    )

    at: Mapped[datetime] = now()
    actor_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="SET NULL"))
    actor: Mapped[str] = mapped_column(Text)
    action: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
