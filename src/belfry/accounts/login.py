"""Registering, and proving who one is."""

import msgspec

from belfry.accounts.passwords import Passwords
from belfry.accounts.tokens import Tokens, fingerprint, opaque
from belfry.errors import Conflict, Unauthenticated
from belfry.settings import Settings
from db import Database
from db.models import Role
from db.queries import sessions, users
from db.queries.users import Account

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
