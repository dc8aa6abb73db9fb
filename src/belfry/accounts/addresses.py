"""Proving an address, and having another one."""

from typing import Literal

import msgspec

from belfry.accounts import opening, registering
from belfry.accounts.links import VERIFYING
from belfry.accounts.mails import AccountMails
from belfry.accounts.passwords import Passwords
from belfry.accounts.proving import fits
from belfry.accounts.registering import TAKEN
from belfry.accounts.throttle import Address as IPAddress
from belfry.accounts.throttle import Throttle
from belfry.errors import BadInput, Conflict, FieldError, Unauthenticated
from belfry.settings import Settings
from db import Database, Tx
from db.models import Action, MailKind
from db.queries import audit, security_mails, users
from db.queries.security_mails import Opened
from db.queries.sessions import Principal
from db.queries.users import Credentials

__all__ = ["Verified", "change", "prove_own", "verify"]

# Links that went to an address one no longer has, or are about another one than was chosen.
VOID = (MailKind.RESET, MailKind.VERIFY, MailKind.ADDRESS)


class Verified(msgspec.Struct, frozen=True):
    """`email` is known to be its user's now: the account was made, its address verified, or changed to this one."""

    email: str
    done: Literal["registered", "verified", "changed"]


async def prove_own(db: Database, mails: AccountMails, me: Principal) -> None:
    """Send a link that shows that the user's address is the user's. Raises `Conflict` if that is known."""
    async with db.begin() as tx:
        account = await users.by_id(tx, me.user_id)
        if account is None:
            raise Unauthenticated("The account was deleted.")
        if account.email_verified_at is not None:
            raise Conflict("Your e-mail address is verified already.")
        await mails.write(tx, MailKind.VERIFY, email=account.email, language=account.language, user_id=account.id)


async def change(
    db: Database, mails: AccountMails, settings: Settings, me: Principal, proven: Credentials, *, email: str
) -> None:
    """Send a link to another address, which becomes the user's when it is used.

    Raises:
        Conflict: somebody has that address. Where addresses must be verified, its owner is told instead.
        Unauthenticated: the password was changed at this moment.
    """
    async with db.begin() as tx:
        if not await users.hold_password(tx, me.user_id, proven.password_hash):
            raise Unauthenticated("The session has ended. Please log in again.")
        mine, taken = await users.by_id(tx, me.user_id), await users.by_email(tx, email)
        assert mine is not None  # it is held
        if taken is not None and taken.id != me.user_id:
            if not settings.require_verified_email:
                raise Conflict(TAKEN)
            await mails.write(tx, MailKind.EXISTS, email=taken.email, language=taken.language, user_id=taken.id)
        else:
            await security_mails.end(tx, me.user_id, (MailKind.ADDRESS,))
            await mails.write(tx, MailKind.ADDRESS, email=email, language=mine.language, user_id=me.user_id)
        await audit.record(tx, Action.CHANGE_REQUESTED, actor=me, subject=me.email, new=email)


async def verify(
    db: Database,
    passwords: Passwords,
    throttle: Throttle,
    mails: AccountMails,
    settings: Settings,
    token: str,
    password: str,
    *,
    address: IPAddress | None,
) -> Verified:
    """Use a link that was sent to an address to see whose it is: theirs who have the account's password as well.

    The link alone shows who reads the mail. Somebody else may have made the account with that address, and wait for its
    reader to confirm it.

    Raises:
        BadInput: the link does not work, or it is another password.
        Conflict: somebody else has the address by now.
        Forbidden: somebody registered, and no accounts are made any more.
        TooMany: too many links that do not work, or wrong too often.
    """
    link = await opening.look(db, throttle, token, VERIFYING, guess=throttle.guess_link(address))
    if link.kind is MailKind.REGISTER:
        registering.admit(settings)
    guess = throttle.guess(link.user_id or token, address)
    if not (await fits(passwords, password, link.password_hash, throttle, guess))[0]:
        raise BadInput(FieldError("password", "this is not the password of the account that is to have this address"))
    await throttle.give_back(guess)
    async with db.begin() as tx:
        opened = await opening.use(tx, token, VERIFYING)
        match opened.kind:
            case MailKind.REGISTER:
                return Verified((await registering.make(tx, opened)).email, "registered")
            case MailKind.ADDRESS:
                return Verified(await _move(tx, mails, opened), "changed")
            case _:
                assert opened.user_id is not None
                if await users.verify(tx, opened.user_id, opened.email):
                    await audit.record(tx, Action.USER_EMAIL_VERIFIED, actor="a link by mail", subject=opened.email)
                return Verified(opened.email, "verified")


async def _move(tx: Tx, mails: AccountMails, opened: Opened) -> str:
    """Give a user the new address, and tell the old one: perhaps it was somebody else."""
    assert opened.user_id is not None
    before = await users.by_id(tx, opened.user_id)
    account = await users.set_email(tx, opened.user_id, opened.email)
    if before is None or account is None:
        raise Conflict(TAKEN)
    await security_mails.end(tx, account.id, VOID)
    await mails.write(tx, MailKind.ADDRESS_CHANGED, email=before.email, language=account.language, user_id=account.id)
    await audit.record(
        tx, Action.USER_EMAIL_CHANGED, actor="a link by mail", subject=account.email, before=before.email
    )
    return account.email
