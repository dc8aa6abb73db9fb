"""Showing the password once more, before what would harm most if it were somebody at a desk left alone."""

from belfry.accounts.passwords import Passwords
from belfry.accounts.throttle import Guess, Headers, Throttle
from belfry.accounts.tokens import fingerprint, opaque
from belfry.errors import BadInput, FieldError, Unauthenticated
from db import Database
from db.queries import sessions, users
from db.queries.sessions import Principal
from db.queries.users import Credentials

__all__ = ["confirm", "fits", "prove"]


async def fits(
    passwords: Passwords, password: str, password_hash: str | None, throttle: Throttle, guess: Guess
) -> tuple[bool, Headers]:
    """Whether a password fits, and what there is to say of the turns that are left. It takes one.

    That is given back by who lets somebody in: where nobody is, also a right password costs one, or the turns that are
    left would tell it from a wrong one. It is taken only when Argon2 is about to run: of many right ones that come at
    once, none stands in another's way, and of many wrong ones no more than the limit are tried. Raises `TooMany`.
    """
    told: Headers = {}

    async def turn() -> None:
        told.update(await throttle.take(guess))

    await throttle.look(guess)  # so that nobody waits in the queue for a refusal
    return await passwords.check(password, password_hash, first=turn), told


async def prove(
    db: Database, passwords: Passwords, throttle: Throttle, me: Principal, password: str, *, field: str = "password"
) -> Credentials:
    """See that it is still the user of a login who asks.

    Raises:
        BadInput: it is another password.
        TooMany: wrong too often.
    """
    async with db.statement() as tx:
        found = (await users.credentials(tx, me.email)).found
    guess = throttle.guess_again(me.session_id)
    if found is None or not (await fits(passwords, password, found.password_hash, throttle, guess))[0]:
        raise BadInput(FieldError(field, "this is not your password"))
    await throttle.give_back(guess)
    return found


async def confirm(
    db: Database, passwords: Passwords, throttle: Throttle, me: Principal, password: str, *, by_cookie: bool
) -> str | None:
    """Remember for a while that the user of a login has shown the password. Returns the new cookie, if it came by one.

    Raises as `prove` does.
    """
    found = await prove(db, passwords, throttle, me, password)
    cookie = opaque() if by_cookie else None
    async with db.begin() as tx:
        if not await users.hold_password(tx, me.user_id, found.password_hash) or not await sessions.confirm(
            tx, me.session_id, token_hash=fingerprint(cookie) if cookie else None
        ):
            raise Unauthenticated("The session has ended. Please log in again.")
    return cookie
