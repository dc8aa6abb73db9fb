"""Making an account: at once, by a link that proves the address, or by an invitation."""

import msgspec

from belfry.accounts import opening
from belfry.accounts.choosing import check_choice
from belfry.accounts.links import INVITING
from belfry.accounts.mails import AccountMails
from belfry.accounts.passwords import Passwords
from belfry.accounts.throttle import Guess, Throttle
from belfry.errors import Conflict, Forbidden
from belfry.settings import Settings
from db import Database, Tx
from db.models import Action, MailKind, Role
from db.queries import audit, invitations, users
from db.queries.security_mails import Opened
from db.queries.users import Account

__all__ = ["TAKEN", "NewUser", "accept", "admit", "make", "register", "request"]

TAKEN = "There is an account with this e-mail address already."
CLOSED = {
    "invitation": "Accounts are made by invitation here. Ask an administrator for one.",
    "closed": "No accounts are made here. Ask an administrator.",
}


class NewUser(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody says of oneself."""

    email: str
    display_name: str = ""
    language: str = "en"
    time_zone: str = "UTC"


def admit(settings: Settings, *, invited: bool = False) -> None:
    """Raises `Forbidden` where accounts are not made in this way."""
    if settings.registration == "closed" or (settings.registration == "invitation" and not invited):
        raise Forbidden(CLOSED[settings.registration])


async def register(
    db: Database,
    passwords: Passwords,
    new: NewUser,
    password: str,
    *,
    role: Role = Role.MEMBER,
    by: str | None = None,
    verified: bool = False,
) -> Account:
    """Make an account. `by` is who does it, if not its user.

    Raises:
        Conflict: the address is taken.
        BadInput: the password is one that is guessed first.
    """
    check_choice("password", password, new.email)
    password_hash = await passwords.hash(password)
    async with db.begin() as tx:
        return await _make(tx, new, password_hash, role=role, by=by, verified=verified)


async def request(db: Database, passwords: Passwords, mails: AccountMails, new: NewUser, password: str) -> None:
    """Send the link that makes the account. Who has one already is told so, by mail: nobody else learns it.

    It is the same work either way. Until the link is used nothing is known here but the address: a name that somebody
    chose stands in no mail to whom it may not belong.
    """
    check_choice("password", password, new.email)
    password_hash = await passwords.hash(password)
    async with db.begin() as tx:
        account = await users.by_email(tx, new.email)
        if account is None:
            mail = await mails.write(tx, MailKind.REGISTER, email=new.email, language=new.language)
            await invitations.pend(
                tx,
                mail,
                role=Role.MEMBER,
                password_hash=password_hash,
                display_name=new.display_name,
                time_zone=new.time_zone,
            )
        else:
            await mails.write(tx, MailKind.EXISTS, email=account.email, language=account.language, user_id=account.id)
        await audit.record(tx, Action.REGISTRATION_REQUESTED, actor="somebody", subject=new.email)


async def make(tx: Tx, opened: Opened) -> Account:
    """Make the account that somebody registered for, now that the link was used. Raises `Conflict`."""
    assert opened.password_hash is not None  # who registers has chosen one
    assert opened.role is not None
    new = NewUser(
        email=opened.email,
        display_name=opened.display_name or "",
        language=opened.language,
        time_zone=opened.time_zone or "UTC",
    )
    return await _make(tx, new, opened.password_hash, role=opened.role, by=None, verified=True)


async def accept(
    db: Database,
    passwords: Passwords,
    throttle: Throttle,
    token: str,
    password: str,
    *,
    guess: Guess,
    display_name: str,
    language: str | None,
    time_zone: str,
) -> Account:
    """Make the account that somebody was invited to; the link shows that the address is theirs.

    Raises:
        BadInput: the link does not work, or the password is one that is guessed first.
        Conflict: the address has an account by now.
        TooMany: too many links that do not work.
    """
    link = await opening.look(db, throttle, token, INVITING, guess=guess)
    check_choice("password", password, link.email)
    password_hash = await passwords.hash(password)
    async with db.begin() as tx:
        opened = await opening.use(tx, token, INVITING)
        assert opened.role is not None
        new = NewUser(
            email=opened.email,
            display_name=display_name,
            language=language or opened.language,
            time_zone=time_zone,
        )
        return await _make(tx, new, password_hash, role=opened.role, by=None, verified=True)


async def _make(tx: Tx, new: NewUser, password_hash: str, *, role: Role, by: str | None, verified: bool) -> Account:
    account = await users.create(
        tx,
        email=new.email,
        password_hash=password_hash,
        display_name=new.display_name,
        role=role,
        language=new.language,
        time_zone=new.time_zone,
        verified=verified,
    )
    if account is None:
        raise Conflict(TAKEN)
    actor = by or account.actor
    await audit.record(tx, Action.USER_CREATED, actor=actor, subject=account.email, role=account.role)
    return account
