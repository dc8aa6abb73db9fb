"""Registering, and proving who one is."""

from datetime import UTC, datetime, timedelta

import msgspec

from belfry.accounts.passwords import Passwords
from belfry.accounts.tokens import TokenRefused, Tokens, fingerprint, opaque
from belfry.errors import Conflict, Unauthenticated
from belfry.settings import Settings
from db import Database
from db.models import Role
from db.queries import sessions, users
from db.queries.sessions import Principal
from db.queries.users import Account

SLIDE_AFTER = timedelta(hours=1)  # a session in use is extended by one write an hour, not by one a request
WRONG = "The e-mail address and the password do not belong together."


class Login(msgspec.Struct, frozen=True):
    """What a successful login hands out: a token for programs and one for the browser's cookie."""

    access_token: str
    expires_in: int
    cookie: str


async def register(
    db: Database, passwords: Passwords, *, email: str, password: str, display_name: str = "", role: Role = Role.MEMBER
) -> Account:
    """Make an account. Raises `Conflict` if the address is taken."""
    password_hash = await passwords.hash(password)
    async with db.begin() as tx:
        account = await users.create(tx, email=email, password_hash=password_hash, display_name=display_name, role=role)
    if account is None:
        raise Conflict("There is an account with this e-mail address already.")
    return account


async def login(
    db: Database,
    passwords: Passwords,
    tokens: Tokens,
    settings: Settings,
    *,
    email: str,
    password: str,
    user_agent: str,
) -> Login:
    """Check a password and open a session. An unknown address costs the same time and reads the same.

    Raises:
        Unauthenticated: no such account, wrong password, or disabled.
    """
    async with db.statement() as tx:
        found = await users.credentials(tx, email)
    if not await passwords.check(password, found.password_hash if found else None) or found is None or found.disabled:
        raise Unauthenticated(WRONG)
    renewed = await passwords.hash(password) if passwords.outdated(found.password_hash) else None
    cookie = opaque()
    async with db.begin() as tx:
        if renewed:
            await users.set_password(tx, found.id, renewed)
        session_id = await sessions.open_(
            tx, found.id, token_hash=fingerprint(cookie), user_agent=user_agent[:255], days=settings.session_days
        )
    return Login(tokens.issue(user_id=found.id, session_id=session_id), tokens.seconds, cookie)


async def by_token(db: Database, tokens: Tokens, token: str) -> Principal:
    """Who holds a signed token. Raises `Unauthenticated`."""
    try:
        session_id, expires_at = tokens.read(token)
    except TokenRefused:
        raise Unauthenticated("The token is not valid, or no longer.") from None
    async with db.statement() as tx:
        principal = await sessions.by_id(tx, session_id)
    if principal is None:
        raise Unauthenticated("The token's session has ended.")
    return msgspec.structs.replace(principal, expires_at=min(expires_at, principal.expires_at))


async def by_cookie(db: Database, cookie: str, *, days: int) -> Principal:
    """Who holds a session cookie; a session in use is extended. Raises `Unauthenticated`."""
    async with db.statement() as tx:
        principal = await sessions.by_token(tx, fingerprint(cookie))
        if principal is None:
            raise Unauthenticated("The session has ended. Please log in again.")
        if datetime.now(UTC) - principal.last_seen_at > SLIDE_AFTER:
            await sessions.extend(tx, principal.session_id, days=days)
    return principal
