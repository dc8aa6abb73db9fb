"""Logging in."""

import msgspec

from belfry.accounts.passwords import Passwords
from belfry.accounts.proving import fits
from belfry.accounts.throttle import Address, Throttle
from belfry.accounts.tokens import REFRESH_PREFIX, Tokens, fingerprint, opaque
from belfry.errors import Unauthenticated
from belfry.settings import Settings
from db import Database, Tx
from db.models import Action
from db.queries import audit, refresh_tokens, sessions, users
from db.queries.users import Credentials

WRONG = "The e-mail address and the password do not belong together."
WRONG_OR_UNVERIFIED = "The e-mail address and the password do not belong together, or the address is not verified yet."


MOST = 100  # logins of one user: right passwords are free, and a script may log in each time it runs


class Login(msgspec.Struct, frozen=True):
    """What a successful login hands out: two tokens for programs and one for the browser's cookie."""

    access_token: str
    refresh_token: str
    cookie: str


class Browser(msgspec.Struct, frozen=True):
    """Where somebody logs in, by what is shown beside the password.

    `device` is what the account may know it by, and `cookie` that of the login it had until now, which ends.
    """

    address: Address | None = None
    device: str | None = None
    cookie: str | None = None
    user_agent: str = ""


class LoggedIn(msgspec.Struct, frozen=True):
    """Whose login was opened, and user and session of those that ended with that."""

    user_id: int
    login: Login
    ended: list[tuple[int, int]]


async def login(
    db: Database,
    passwords: Passwords,
    tokens: Tokens,
    settings: Settings,
    *,
    throttle: Throttle,
    email: str,
    password: str,
    browser: Browser,
) -> LoggedIn:
    """Check a password and open a session. An unknown address costs the same time and reads the same.

    The login that the browser had until now ends (ASVS 5.0, 7.2.4), and beyond `MOST` those used longest ago.

    Raises:
        Unauthenticated: no such account, wrong password, disabled, or not verified where it must be.
        TooMany: wrong too often, whatever the password is now.
    """
    async with db.statement() as tx:
        folded, found = await users.credentials(tx, email)
    guess = throttle.guess(found.user_id if found else folded, browser.address, device=browser.device)
    good, told = await fits(passwords, password, found.password_hash if found else None, throttle, guess)
    wrong = WRONG_OR_UNVERIFIED if settings.require_verified_email else WRONG
    if found is None or (reason := _objection(found, good, settings)):
        reason = reason if found else "no such account"
        async with db.statement() as tx:
            await audit.record(tx, Action.LOGIN_FAILED, actor="somebody", subject=email, reason=reason)
        raise Unauthenticated(wrong, headers=told)
    await throttle.give_back(guess)
    renewed = await passwords.hash(password) if passwords.outdated(found.password_hash) else None
    async with db.begin() as tx:
        if not await users.hold_password(tx, found.user_id, found.password_hash):
            raise Unauthenticated(wrong)
        if renewed:
            await users.set_password(tx, found.user_id, renewed)
        ended = await sessions.close_oldest(tx, found.user_id, keep=MOST - 1)
        if browser.cookie is not None:
            ended += await sessions.close_by_cookie(tx, fingerprint(browser.cookie))
        session_id, opened = await open_session(tx, tokens, settings, found.user_id, user_agent=browser.user_agent)
        await audit.record(tx, Action.LOGIN_SUCCEEDED, actor=found, subject=found.email, session=session_id)
    return LoggedIn(found.user_id, opened, ended)


async def open_session(
    tx: Tx, tokens: Tokens, settings: Settings, user_id: int, *, user_agent: str
) -> tuple[int, Login]:
    """Open a session for who has proven who one is; its id, and what is handed out once it is committed."""
    cookie, refresh_token = opaque(), opaque(REFRESH_PREFIX)
    session_id = await sessions.open_(
        tx, user_id, token_hash=fingerprint(cookie), user_agent=user_agent[:255], days=settings.session_days
    )
    await refresh_tokens.add(tx, session_id, token_hash=fingerprint(refresh_token))
    return session_id, Login(tokens.issue(user_id=user_id, session_id=session_id), refresh_token, cookie)


def _objection(found: Credentials, good: bool, settings: Settings) -> str | None:
    """Why somebody is not let in, for the audit alone: all are told the same."""
    if not good:
        return "wrong password"
    if found.disabled:
        return "disabled"
    return "not verified" if settings.require_verified_email and not found.verified else None
