"""Logging in."""

import msgspec

from belfry.accounts.passwords import Passwords
from belfry.accounts.proving import fits
from belfry.accounts.throttle import Guess, Throttle
from belfry.accounts.tokens import REFRESH_PREFIX, Tokens, fingerprint, opaque
from belfry.errors import Unauthenticated
from belfry.settings import Settings
from db import Database
from db.models import Action
from db.queries import audit, refresh_tokens, sessions, users
from db.queries.users import Credentials

WRONG = "The e-mail address and the password do not belong together."
WRONG_OR_UNVERIFIED = "The e-mail address and the password do not belong together, or the address is not verified yet."


class Login(msgspec.Struct, frozen=True):
    """What a successful login hands out: two tokens for programs and one for the browser's cookie."""

    access_token: str
    refresh_token: str
    cookie: str


async def login(
    db: Database,
    passwords: Passwords,
    tokens: Tokens,
    settings: Settings,
    *,
    throttle: Throttle,
    guess: Guess,
    email: str,
    password: str,
    user_agent: str,
) -> Login:
    """Check a password and open a session. An unknown address costs the same time and reads the same.

    Raises:
        Unauthenticated: no such account, wrong password, disabled, or not verified where it must be.
        TooMany: wrong too often, whatever the password is now.
    """
    async with db.statement() as tx:
        found = await users.credentials(tx, email)
    good = await fits(passwords, password, found, throttle, guess)
    wrong = WRONG_OR_UNVERIFIED if settings.require_verified_email else WRONG
    if found is None or (reason := _objection(found, good, settings)):
        reason = reason if found else "no such account"
        async with db.statement() as tx:
            await audit.record(tx, Action.LOGIN_FAILED, actor="somebody", subject=email, reason=reason)
        raise Unauthenticated(wrong)
    renewed = await passwords.hash(password) if passwords.outdated(found.password_hash) else None
    cookie, refresh_token = opaque(), opaque(REFRESH_PREFIX)
    async with db.begin() as tx:
        if not await users.hold_password(tx, found.user_id, found.password_hash):
            raise Unauthenticated(wrong)
        if renewed:
            await users.set_password(tx, found.user_id, renewed)
        session_id = await sessions.open_(
            tx, found.user_id, token_hash=fingerprint(cookie), user_agent=user_agent[:255], days=settings.session_days
        )
        await refresh_tokens.add(tx, session_id, token_hash=fingerprint(refresh_token))
        await audit.record(tx, Action.LOGIN_SUCCEEDED, actor=found, subject=found.email, session=session_id)
    return Login(tokens.issue(user_id=found.user_id, session_id=session_id), refresh_token, cookie)


def _objection(found: Credentials, good: bool, settings: Settings) -> str | None:
    """Why somebody is not let in, for the audit alone: all are told the same."""
    if not good:
        return "wrong password"
    if found.disabled:
        return "disabled"
    return "not verified" if settings.require_verified_email and not found.verified else None
