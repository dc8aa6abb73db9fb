"""Another password: chosen by who knows the one before it, or by a link in a mail where that was forgotten."""

import msgspec

from belfry.accounts import opening
from belfry.accounts.choosing import check_choice
from belfry.accounts.links import RESETTING
from belfry.accounts.mails import AccountMails
from belfry.accounts.passwords import Passwords
from belfry.accounts.proving import prove
from belfry.accounts.throttle import Address, Guess, Throttle
from db import Database, Tx
from db.models import Action, MailKind
from db.queries import api_keys, audit, security_mails, sessions, users
from db.queries.sessions import Principal
from db.queries.users import Actor

__all__ = ["Reset", "change", "forgotten", "reset", "set_"]

# What whoever knew the password before it may have asked for.
VOID = (MailKind.RESET, MailKind.ADDRESS)


class Reset(msgspec.Struct, frozen=True):
    """Whose password it was, and user and session of all that ended with it."""

    user_id: int
    ended: list[tuple[int, int]]


async def change(
    db: Database,
    passwords: Passwords,
    throttle: Throttle,
    mails: AccountMails,
    me: Principal,
    *,
    address: Address | None,
    current: str,
    new: str,
) -> list[int]:
    """Set a new password and end all other sessions; API keys stay. Returns the ids of the sessions that ended.

    Raises:
        BadInput: the current password is another, or the new one is guessed first.
        TooMany: wrong too often, or changed too often: each time a mail says so.
    """
    check_choice("new", new, me.email)
    await prove(db, passwords, throttle, me, current, field="current")
    await throttle.mail(MailKind.PASSWORD_CHANGED, me.user_id, address)
    password_hash = await passwords.hash(new)
    async with db.begin() as tx:
        return await set_(tx, mails, me.user_id, password_hash, by=me, but=me.session_id)


async def forgotten(db: Database, mails: AccountMails, email: str) -> None:
    """Send a link to whoever has this address. If nobody has, it is the same work, undone, and nobody hears of it."""
    async with db.begin() as tx:
        account = await users.by_email(tx, email)
        written = await tx.begin_nested()
        if account is not None and account.disabled_at is None:
            await mails.write(tx, MailKind.RESET, email=account.email, language=account.language, user_id=account.id)
            await written.commit()
        else:
            await mails.write(tx, MailKind.RESET, email=email, language="en")
            await written.rollback()
        await audit.record(tx, Action.RESET_REQUESTED, actor="somebody", subject=email)


async def reset(
    db: Database,
    passwords: Passwords,
    throttle: Throttle,
    mails: AccountMails,
    token: str,
    password: str,
    *,
    guess: Guess,
) -> Reset:
    """Set a new password by a link, which also shows whose the address is. All logins end.

    API keys stay if that was known. Else whoever made the account may have made it with somebody else's address, and a
    key beside it, to read what its owner gets one day.

    Raises:
        BadInput: the link does not work, or the password is one that is guessed first.
        TooMany: too many links that do not work.
    """
    link = await opening.look(db, throttle, token, RESETTING, guess=guess)
    check_choice("password", password, link.email)
    password_hash = await passwords.hash(password)
    async with db.begin() as tx:
        opened = await opening.use(tx, token, RESETTING)
        assert opened.user_id is not None
        logins = await set_(tx, mails, opened.user_id, password_hash, by="a link by mail")
        ended = [(opened.user_id, session_id) for session_id in logins]
        if await users.verify(tx, opened.user_id, opened.email):
            keys = await api_keys.revoke_all(tx, opened.user_id)
            by, who = "a link by mail", opened.email
            await audit.record(tx, Action.USER_EMAIL_VERIFIED, actor=by, subject=who, ended=len(keys))
            ended += keys
    return Reset(opened.user_id, ended)


async def set_(
    tx: Tx, mails: AccountMails, user_id: int, password_hash: str, *, by: Actor | str, but: int | None = None
) -> list[int]:
    """Give an account a password. Its logins end, except one if it is named, and its owner is told by mail.

    Returns the ids of the sessions that ended.
    """
    await users.set_password(tx, user_id, password_hash)
    await security_mails.end(tx, user_id, VOID)
    ended = await sessions.close_all(tx, user_id, but=but)
    account = await users.by_id(tx, user_id)
    assert account is not None  # its row was just changed
    await mails.write(tx, MailKind.PASSWORD_CHANGED, email=account.email, language=account.language, user_id=user_id)
    await audit.record(tx, Action.USER_PASSWORD_CHANGED, actor=by, subject=account.email, ended=len(ended))
    return ended
