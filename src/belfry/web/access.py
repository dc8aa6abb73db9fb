"""Who may do what: one row a route. `Identify` keeps to it, the OpenAPI document shows it, and a test drives it.

A row says who may use the route, and which scopes let an API key: one of them is enough, and without any only a login
will do. Where the path names something that is somebody's, `foreign` is what others are told, and `admins` may all
the same.
"""

from enum import StrEnum
from typing import NamedTuple

from belfry.errors import Forbidden
from db.models import KeyScope, Role
from db.queries.sessions import Principal

__all__ = ["ACCESS", "UNLISTED", "Access", "Who", "admit", "allow"]


class Who(StrEnum):
    ANYBODY = "anybody"
    USERS = "users"
    SENDERS = "senders"
    ADMINS = "admins"


ROLES: dict[Who, tuple[Role, ...]] = {
    Who.USERS: tuple(Role),
    Who.SENDERS: (Role.SENDER, Role.ADMIN),
    Who.ADMINS: (Role.ADMIN,),
}


class Access(NamedTuple):
    who: Who
    scopes: tuple[KeyScope, ...] = ()
    foreign: int | None = None
    admins: bool = False
    keys_only: bool = False


ANYBODY, USERS, SENDERS, ADMINS = Who
READ, MARK, STREAM, SEND, BROADCAST, ALERT, ACT_AS = KeyScope

ACCESS: dict[tuple[str, str], Access] = {
    ("GET", "/health/live"): Access(ANYBODY),
    ("GET", "/health/ready"): Access(ANYBODY),
    ("GET", "/metrics"): Access(ANYBODY),
    # accounts: what could lock an owner out, or outlive a key, needs a login
    ("GET", "/v1/auth/rules"): Access(ANYBODY),
    ("POST", "/v1/auth/register"): Access(ANYBODY),
    ("POST", "/v1/auth/invitation"): Access(ANYBODY),
    ("POST", "/v1/auth/link"): Access(ANYBODY),
    ("POST", "/v1/auth/email/verify"): Access(ANYBODY),
    ("POST", "/v1/auth/password/forgot"): Access(ANYBODY),
    ("POST", "/v1/auth/password/reset"): Access(ANYBODY),
    ("POST", "/v1/auth/login"): Access(ANYBODY),
    ("POST", "/v1/auth/refresh"): Access(ANYBODY),
    ("POST", "/v1/auth/logout"): Access(USERS),
    ("POST", "/v1/auth/confirm"): Access(USERS),
    ("GET", "/v1/me"): Access(USERS, (READ,)),
    ("PATCH", "/v1/me"): Access(USERS),
    ("POST", "/v1/me/password"): Access(USERS),
    ("POST", "/v1/me/email"): Access(USERS),
    ("POST", "/v1/me/email/verify"): Access(USERS),
    ("GET", "/v1/me/export"): Access(USERS),
    ("POST", "/v1/me/delete"): Access(USERS),
    ("GET", "/v1/sessions"): Access(USERS),
    ("DELETE", "/v1/sessions"): Access(USERS),
    ("DELETE", "/v1/sessions/{session_id}"): Access(USERS, foreign=404),
    ("GET", "/v1/api-keys"): Access(USERS),
    ("POST", "/v1/api-keys"): Access(USERS),
    ("DELETE", "/v1/api-keys/{key_id}"): Access(USERS, foreign=404),
    ("GET", "/v1/users"): Access(SENDERS, (READ,)),
    ("GET", "/v1/users/{user_id}"): Access(ADMINS, (READ,)),
    ("PATCH", "/v1/users/{user_id}"): Access(ADMINS),
    ("DELETE", "/v1/users/{user_id}/sessions"): Access(ADMINS),
    ("GET", "/v1/invitations"): Access(ADMINS, (READ,)),
    ("POST", "/v1/invitations"): Access(ADMINS),
    ("DELETE", "/v1/invitations/{invitation_id}"): Access(ADMINS),
    ("POST", "/v1/users/{user}/token"): Access(ADMINS, (ACT_AS,), keys_only=True),
    # the inbox
    ("GET", "/v1/notifications"): Access(USERS, (READ,)),
    ("GET", "/v1/notifications/unread-count"): Access(USERS, (READ,)),
    ("GET", "/v1/notifications/{notification_id}"): Access(USERS, (READ,), foreign=404),
    ("DELETE", "/v1/notifications/{notification_id}"): Access(USERS, (MARK,), foreign=404),
    ("POST", "/v1/notifications/read"): Access(USERS, (MARK,)),
    ("POST", "/v1/notifications/unread"): Access(USERS, (MARK,)),
    ("POST", "/v1/notifications/delete"): Access(USERS, (MARK,)),
    ("GET", "/v1/stream"): Access(USERS, (STREAM,)),
    ("POST", "/v1/stream/tickets"): Access(USERS, (STREAM,)),
    # sending; members send to themselves
    ("POST", "/v1/notifications"): Access(USERS, (SEND,)),
    ("POST", "/v1/notifications/batch"): Access(USERS, (SEND,)),
    ("GET", "/v1/notifications/sent"): Access(USERS, (READ,)),
    ("GET", "/v1/notifications/{notification_id}/trace"): Access(USERS, (READ,), foreign=404, admins=True),
    ("POST", "/v1/notifications/{notification_id}/cancel"): Access(USERS, (SEND, BROADCAST), foreign=404, admins=True),
    ("POST", "/v1/notifications/{notification_id}/retry"): Access(USERS, (SEND, BROADCAST), foreign=404, admins=True),
    ("POST", "/v1/alerts"): Access(USERS, (ALERT,)),
    ("POST", "/v1/broadcasts"): Access(SENDERS, (BROADCAST,)),
    ("GET", "/v1/broadcasts"): Access(SENDERS, (READ,)),
    ("GET", "/v1/broadcasts/{notification_id}"): Access(SENDERS, (READ,)),
    ("GET", "/v1/schedules"): Access(SENDERS, (READ,)),
    ("POST", "/v1/schedules"): Access(SENDERS, (BROADCAST,)),
    ("GET", "/v1/schedules/{schedule_id}"): Access(SENDERS, (READ,)),
    ("PATCH", "/v1/schedules/{schedule_id}"): Access(SENDERS, (BROADCAST,), foreign=404, admins=True),
    ("DELETE", "/v1/schedules/{schedule_id}"): Access(SENDERS, (BROADCAST,), foreign=404, admins=True),
    ("POST", "/v1/schedules/{schedule_id}/run"): Access(SENDERS, (BROADCAST,), foreign=404, admins=True),
    ("GET", "/v1/schedules/{schedule_id}/runs"): Access(SENDERS, (READ,)),
    # running the place: a key may look, and change nothing
    ("GET", "/v1/presence"): Access(ADMINS, (READ,)),
    ("GET", "/v1/queue"): Access(ADMINS, (READ,)),
    ("GET", "/v1/deliveries/failed"): Access(ADMINS, (READ,)),
    ("POST", "/v1/deliveries/retry"): Access(ADMINS),
    ("GET", "/v1/suppressions"): Access(ADMINS, (READ,)),
    ("POST", "/v1/suppressions"): Access(ADMINS),
    ("DELETE", "/v1/suppressions/{suppression_id}"): Access(ADMINS),
    ("GET", "/v1/audit"): Access(ADMINS, (READ,)),
    ("GET", "/dev/mail"): Access(ADMINS, (READ,)),
}
UNLISTED = Access(ADMINS)  # a route that somebody forgot here


def admit(me: Principal, method: str, path: str) -> None:
    """Raises `Forbidden` unless this route is for the caller. Whose things it names is its own business."""
    allow(me, ACCESS.get((method, path), UNLISTED))


def allow(me: Principal, access: Access) -> None:
    """Raises `Forbidden` unless the caller is one of those who may, with a credential that may."""
    if access.keys_only and me.key is None:
        raise Forbidden(f"This needs an API key with the scope {' or '.join(access.scopes)}.")
    if me.scopes is not None and not me.scopes.intersection(access.scopes):
        what = "token to act as somebody" if me.key is None else "API key"
        lacking = f"the scope {' or '.join(access.scopes)}" if access.scopes else "a login"
        raise Forbidden(f"This needs {lacking}; it cannot be done with this {what}.")
    roles = ROLES[access.who]
    if me.role not in roles:
        raise Forbidden(f"This needs the role {' or '.join(roles)}; yours is {me.role}.")
