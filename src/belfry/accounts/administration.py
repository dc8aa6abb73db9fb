"""What admins do with accounts. There is always one admin left, whoever does what at the same moment."""

from typing import NamedTuple

from belfry.accounts.mails import AccountMails
from belfry.accounts.registering import TAKEN
from belfry.errors import Conflict, Forbidden, NotFound
from db import Tx
from db.models import Action, MailKind, Role
from db.queries import audit, directory, invitations, security_mails, sessions, users
from db.queries.directory import Listed
from db.queries.invitations import Invitation
from db.queries.users import Actor

__all__ = ["Changed", "change", "end_sessions", "invite", "keep_an_admin", "revoke"]

NO_SUCH_USER = "There is no such user."
LINKS = (MailKind.VERIFY, MailKind.ADDRESS, MailKind.RESET)


class Changed(NamedTuple):
    """A user as it is now; `ended` are user and session of what does not hold any more, or not as it did.

    Their streams are to end. What still holds comes back, and learns what it may do now.
    """

    user: Listed
    ended: list[tuple[int, int]]


def keep_an_admin(admins: set[int], user_id: int) -> None:
    """Before one of these, who are locked, stops being an admin. Raises `Conflict` if there would be none left."""
    if admins == {user_id}:
        raise Conflict("This is the last admin. Make somebody else an admin first.")


async def change(
    tx: Tx, user_id: int, *, by: Actor | str, role: Role | None = None, disabled: bool | None = None
) -> Changed:
    """Give a user another role, disable or enable it. Others who want to do that wait until the transaction ends.

    Another role ends the streams, and disabling all logins as well; it makes links in mails void. API keys hold again
    when the user is enabled.

    Raises:
        NotFound: there is no such user.
        Conflict: it is the last admin.
        Forbidden: who asks was an admin until just now.
    """
    admins = await _admins(tx, by)
    before = await directory.one(tx, user_id)
    if before is None:
        raise NotFound(NO_SUCH_USER)
    if disabled or role not in (None, Role.ADMIN):
        keep_an_admin(admins, user_id)
    await directory.change(tx, user_id, role=role, disabled=disabled)
    ended: list[tuple[int, int]] = []
    if role is not None and role is not before.role:
        detail = {"before": before.role, "role": role}
        await audit.record(tx, Action.USER_ROLE_CHANGED, actor=by, subject=before.email, **detail)
        ended = await directory.ended_with(tx, user_id)
    if disabled and before.disabled_at is None:
        ended = await directory.ended_with(tx, user_id)
        await sessions.close_all(tx, user_id)
        await security_mails.end(tx, user_id, LINKS)
        await audit.record(tx, Action.USER_DISABLED, actor=by, subject=before.email)
    if disabled is False and before.disabled_at is not None:
        await audit.record(tx, Action.USER_ENABLED, actor=by, subject=before.email)
    after = await directory.one(tx, user_id)
    assert after is not None
    return Changed(after, ended)


async def end_sessions(tx: Tx, user_id: int, *, by: Actor) -> list[tuple[int, int]]:
    """End all logins of somebody; API keys stay. Returns user and session of each. Raises `NotFound`, `Forbidden`."""
    await _admins(tx, by)
    user = await directory.one(tx, user_id)
    if user is None:
        raise NotFound(NO_SUCH_USER)
    ended = await sessions.close_all(tx, user_id)
    await audit.record(tx, Action.SESSIONS_ENDED, actor=by, subject=user.email, ended=len(ended))
    return [(user_id, session_id) for session_id in ended]


async def invite(tx: Tx, mails: AccountMails, *, by: Actor | str, email: str, role: Role, language: str) -> Invitation:
    """Send somebody a link that makes an account. An earlier one to the same address is void.

    Raises:
        Conflict: there is an account with this address.
        Forbidden: who asks was an admin until just now.
    """
    await _admins(tx, by)
    if await users.by_email(tx, email) is not None:
        raise Conflict(TAKEN)
    await invitations.revoke_earlier(tx, email)
    mail = await mails.write(tx, MailKind.INVITE, email=email, language=language)
    inviter = by.user_id if isinstance(by, Actor) else None
    await invitations.pend(tx, mail, role=role, invited_by=inviter)
    await audit.record(tx, Action.USER_INVITED, actor=by, subject=email, role=role)
    invitation = await invitations.one(tx, mail)
    assert invitation is not None  # it was made by this transaction
    return invitation


async def revoke(tx: Tx, invitation_id: int, *, by: Actor) -> None:
    """Make an invitation void. Raises `NotFound` if there is no such, or it was accepted, or its time is over."""
    email = await invitations.revoke(tx, invitation_id)
    if email is None:
        raise NotFound("There is no such invitation, or it is not open any more.")
    await audit.record(tx, Action.INVITATION_REVOKED, actor=by, subject=email)


async def _admins(tx: Tx, by: Actor | str) -> set[int]:
    """All admins, locked until the transaction ends, so that of two who would demote each other one is too late."""
    admins = await directory.admins(tx)
    if isinstance(by, Actor) and by.user_id not in admins:
        raise Forbidden("You are not an admin any more.")
    return admins
