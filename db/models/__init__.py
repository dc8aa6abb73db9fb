"""The schema: every table, and the enumerations of its columns."""

from sqlalchemy import MetaData

from db.models.audit import Action, Audit
from db.models.credentials import ApiKey, KeyScope, RefreshToken, Session, StreamTicket
from db.models.mail import (
    Channel,
    Delivery,
    DeliveryAttempt,
    DeliveryStatus,
    Expansion,
    Installation,
    MailKind,
    Scope,
    SecurityMail,
    Suppression,
    SuppressionReason,
)
from db.models.notifications import BroadcastClock, BroadcastReceipt, Idempotency, Notification, ReceiptState
from db.models.people import Inbox, PendingAccount, Role, User
from db.models.schedules import LatePolicy, Outcome, Schedule, ScheduleRun

__all__ = [
    "Action",
    "ApiKey",
    "Audit",
    "BroadcastClock",
    "BroadcastReceipt",
    "Channel",
    "Delivery",
    "DeliveryAttempt",
    "DeliveryStatus",
    "Expansion",
    "Idempotency",
    "Inbox",
    "Installation",
    "KeyScope",
    "LatePolicy",
    "MailKind",
    "Notification",
    "Outcome",
    "PendingAccount",
    "ReceiptState",
    "RefreshToken",
    "Role",
    "Schedule",
    "ScheduleRun",
    "Scope",
    "SecurityMail",
    "Session",
    "StreamTicket",
    "Suppression",
    "SuppressionReason",
    "User",
    "metadata",
]

metadata: MetaData = User.metadata
