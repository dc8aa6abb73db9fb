"""Opening a link from a mail."""

from collections.abc import Collection

from belfry.accounts.throttle import Guess, Throttle
from belfry.accounts.tokens import fingerprint
from belfry.errors import BadInput, FieldError
from db import Database, Tx
from db.models import MailKind
from db.queries import security_mails
from db.queries.security_mails import Link, Opened

__all__ = ["look", "use"]


async def look(db: Database, throttle: Throttle, token: str, kinds: Collection[MailKind], *, guess: Guess) -> Link:
    """The link that a token opens; it stays as good as it is.

    Raises:
        BadInput: it is none of ours, was used, is void, too old, or for another purpose: nobody is told which.
        TooMany: too many of these.
    """
    await throttle.look(guess)
    async with db.statement() as tx:
        link = await security_mails.look(tx, fingerprint(token), kinds)
    if link is None:
        await throttle.take(guess)
        raise _no_link()
    return link


async def use(tx: Tx, token: str, kinds: Collection[MailKind]) -> Opened:
    """Use a link up in this transaction. Raises `BadInput` if somebody else did meanwhile."""
    opened = await security_mails.use(tx, fingerprint(token), kinds)
    if opened is None:
        raise _no_link()
    return opened


def _no_link() -> BadInput:
    return BadInput(FieldError("token", "this link does not work, or not any more; each works once, and for a while"))
