"""Saying something to everyone: what a request, a job and a command have in common."""

import msgspec

from belfry.errors import BadInput, FieldError
from belfry.sending import publish
from belfry.sending.idempotency import Once
from belfry.sending.messages import NamedBroadcast, NewBroadcast
from belfry.sending.publish import NOTHING, Published
from belfry.settings import PREFIX
from db import Tx
from db.models import Action, Role
from db.queries import users
from db.queries.audit import Note
from db.queries.notifications import Item
from db.queries.users import Actor

ROUTE = "broadcast"  # keys of jobs and commands: one key has one effect, whichever of the two repeats it
MAY_BROADCAST = (Role.SENDER, Role.ADMIN)


async def accept(tx: Tx, request: NewBroadcast, *, sender: Actor, once: Once, by: str) -> tuple[Item, Published]:
    """Publish a broadcast, or for a repeated key return the first answer and publish nothing.

    `by` says in the audit how it came: by a request, a job or a command. Without a key it is one statement and needs no
    transaction. Raises `BadInput` as `Once.answered` does.
    """
    if (first := await once.answered(tx, Item)) is not None:
        return first, NOTHING
    detail = {"by": by, "title": request.title} | ({"key": once.key} if once.key else {})
    note = Note(Action.BROADCAST_SENT, sender, detail)
    published = await publish.publish_broadcast(tx, request.message(request.channels), sender=sender, note=note)
    [item] = published.items
    await once.keep(tx, item)
    return item, published


async def accept_named(
    tx: Tx, request: NamedBroadcast, *, key: str | None, default_sender: str, by: str
) -> tuple[Item, Published]:
    """As `accept`, for the sender that the request names, or else the default one.

    Raises:
        BadInput: no sender is named, or not one who may broadcast; the key was used with another request.
    """
    sender = await named_sender(tx, request.sender or default_sender)
    said = {name: value for name, value in msgspec.to_builtins(request).items() if name != "sender"}
    once = Once(sender.user_id, ROUTE, key, msgspec.json.encode(said, order="sorted"))
    return await accept(tx, request, sender=sender, once=once, by=by)


async def named_sender(tx: Tx, email: str) -> Actor:
    """The account with this address. Raises `BadInput` where there is none, or it may not broadcast."""
    if not email:
        raise BadInput(FieldError("sender", f"name a sender, or set a default one: {PREFIX}BROADCAST_SENDER"))
    account = await users.by_email(tx, email)
    if account is None:
        raise BadInput(FieldError("sender", "no user has this e-mail address"))
    if (reason := unfit(account.actor, disabled=account.disabled_at is not None)) is not None:
        raise BadInput(FieldError("sender", reason))
    return account.actor


def unfit(sender: Actor, *, disabled: bool) -> str | None:
    """Why somebody may not broadcast, if so."""
    if disabled:
        return "this account is disabled"
    if sender.role not in MAY_BROADCAST:
        return f"needs the role {' or '.join(MAY_BROADCAST)}; this one's is {sender.role}"
    return None
