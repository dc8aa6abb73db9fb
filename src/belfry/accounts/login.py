"""Registering, and proving who one is."""

import msgspec

from belfry.accounts.passwords import Passwords
from belfry.accounts.throttle import Guess, Throttle
from belfry.accounts.tokens import REFRESH_PREFIX, Tokens, fingerprint, opaque
from belfry.errors import BadInput, Conflict, FieldError, Unauthenticated
from belfry.settings import Settings
from db import Database, Tx
from db.models import Action, Role
from db.queries import audit, refresh_tokens, sessions, users
from db.queries.sessions import Principal
from db.queries.users import Account, Credentials

WRONG = "The e-mail address and the password do not belong together."


class Login(msgspec.Struct, frozen=True):
    """What a successful login hands out: two tokens for programs and one for the browser's cookie."""

    access_token: str
    refresh_token: str
    cookie: str


async def register(
    db: Database,
    passwords: Passwords,
    *,
    email: str,
    password: str,
    display_name: str = "",
    role: Role = Role.MEMBER,
    by: str | None = None,
) -> Account:
    """Make an account. `by` is who does it, if not its user. Raises `Conflict` if the address is taken."""
    password_hash = await passwords.hash(password)
    async with db.begin() as tx:
        account = await users.create(tx, email=email, password_hash=password_hash, display_name=display_name, role=role)
        if account is None:
            raise Conflict("There is an account with this e-mail address already.")
        actor = by or account.actor
        await audit.record(tx, Action.USER_CREATED, actor=actor, subject=account.email, role=account.role)
    return account


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
        Unauthenticated: no such account, wrong password, or disabled.
        TooMany: wrong too often, whatever the password is now.
    """
    async with db.statement() as tx:
        found = await users.credentials(tx, email)
    good = await _fits(passwords, password, found, throttle, guess)
    if not good or found is None or found.disabled:
        reason = "no such account" if found is None else "disabled" if good else "wrong password"
        async with db.statement() as tx:
            await audit.record(tx, Action.LOGIN_FAILED, actor="somebody", subject=email, reason=reason)
        raise Unauthenticated(WRONG)
    renewed = await passwords.hash(password) if passwords.outdated(found.password_hash) else None
    async with db.begin() as tx:
        if not await users.hold_password(tx, found.user_id, found.password_hash):
            raise Unauthenticated(WRONG)
        if renewed:
            await users.set_password(tx, found.user_id, renewed)
        session_id, opened = await open_session(tx, tokens, settings, found.user_id, user_agent=user_agent)
        await audit.record(tx, Action.LOGIN_SUCCEEDED, actor=found, subject=found.email, session=session_id)
    return opened


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


async def change_password(
    db: Database, passwords: Passwords, throttle: Throttle, me: Principal, *, current: str, new: str
) -> list[int]:
    """Set a new password and end all other sessions; API keys stay. Returns the ids of the sessions that ended.

    Raises:
        BadInput: the current password is another.
        TooMany: wrong too often.
    """
    async with db.statement() as tx:
        found = await users.credentials(tx, me.email)
    if not await _fits(passwords, current, found, throttle, throttle.guess_again(me.session_id)):
        raise BadInput(FieldError("current", "this is not your password"))
    password_hash = await passwords.hash(new)
    async with db.begin() as tx:
        await users.set_password(tx, me.user_id, password_hash)
        ended = await sessions.close_all(tx, me.user_id, but=me.session_id)
        await audit.record(tx, Action.USER_PASSWORD_CHANGED, actor=me, subject=me.email, ended=len(ended))
    return ended


async def _fits(
    passwords: Passwords, password: str, account: Credentials | None, throttle: Throttle, guess: Guess
) -> bool:
    """Whether a password is an account's. A wrong one takes a turn, and a right one is free.

    The turn is taken only when Argon2 is about to run: of many right ones that come at once, none stands in another's
    way, and of many wrong ones no more than the limit are tried.
    """
    await throttle.look(guess)  # so that nobody waits in the queue for a refusal
    good = await passwords.check(
        password, account.password_hash if account else None, first=lambda: throttle.take(guess)
    )
    if good:
        await throttle.give_back(guess)
    return good
