"""Who gets what, by which channel."""

from uuid import uuid4

import msgspec

from belfry.errors import BadInput, FieldError, Forbidden
from belfry.realtime import frames
from belfry.realtime.announce import Announcer
from belfry.realtime.frames import Alert, Alerted, BroadcastChanged, Event, InboxChanged, Message
from belfry.sending.bell import QueueBell
from db import Tx
from db.models import Channel, DeliveryStatus, Role
from db.queries import notifications, users
from db.queries.audit import Note
from db.queries.notifications import Item, Sender, Sent
from db.queries.users import Actor

ALERTS_ALWAYS = 5  # this priority alerts at once, whatever the channels
ALERTS_NEVER = 1


class Published(msgspec.Struct, frozen=True):
    """What was written, and what to tell the streams once it is committed."""

    items: list[Item]
    messages: list[Message]

    def tell(self, announcer: Announcer, bell: QueueBell) -> None:
        """After the commit: tell the streams, and ring for the e-mails. Best effort; checks and sweeps repair it."""
        announcer.tell(self.messages)
        for item in self.items:
            if item.send_at is not None:
                bell.ring_at(item.send_at)
            elif Channel.EMAIL in item.channels and item.type == "broadcast":
                bell.ring_expand(item.id)
            elif Channel.EMAIL in item.channels:
                bell.ring()


NOTHING = Published([], [])


async def recipient(tx: Tx, to: int | str | None, *, sender: Actor) -> int:
    """The user a message is for: by id, by e-mail address, or oneself.

    Raises:
        Forbidden: a member may only send to oneself.
        BadInput: there is no such user.
    """
    to = allowed(to, sender=sender)
    if to == sender.user_id:
        return sender.user_id
    [found] = await users.recipients(tx, [to])
    if found is None:
        raise _nobody()
    return found


def allowed(to: int | str | None, *, sender: Actor) -> int | str:
    """Whom a message names, with oneself as an id. Raises `Forbidden` as `recipient` does."""
    if to is None or to == sender.user_id or (isinstance(to, str) and to.lower() == sender.email.lower()):
        return sender.user_id
    may_send_to_others(sender)
    return to


async def recipients(tx: Tx, to: list[int | str], *, sender: Actor) -> list[int]:
    """The distinct users a batch is for, in the order they were named. Raises as `recipient` does."""
    found = await users.recipients(tx, to)
    unknown = [index for index, user_id in enumerate(found) if user_id is None]
    if set(found) != {sender.user_id}:
        may_send_to_others(sender)
    if unknown:
        raise BadInput(*(FieldError(f"to[{index}]", "no user has this id or e-mail address") for index in unknown[:20]))
    return list(dict.fromkeys(user_id for user_id in found if user_id is not None))


def may_send_to_others(sender: Actor) -> None:
    if sender.role is Role.MEMBER:
        raise Forbidden("A member can send only to oneself; sending to others needs the role sender or admin.")


def _nobody() -> BadInput:
    return BadInput(FieldError("to", "no user has this id or e-mail address"))


async def publish_to(
    tx: Tx, message: notifications.Message, *, to: int | str | None, sender: Actor
) -> tuple[Item, list[Message]]:
    """As `publish`, to one user: by id, by e-mail address, or oneself. It is one statement, and needs no transaction.

    Raises as `recipient` does.
    """
    row = await notifications.insert_one(tx, allowed(to, sender=sender), message, sender_id=sender.user_id)
    if row is None:
        raise _nobody()
    item = item_of(row, message, sender)
    return item, told(row, item)


async def publish(tx: Tx, message: notifications.Message, *, to: list[int], sender: Actor) -> Published:
    """Put a message into inboxes and its e-mails into the queue, all in this transaction."""
    rows = await notifications.insert(tx, to, message, sender_id=sender.user_id)
    items = [item_of(row, message, sender) for row in rows]
    return Published(items, [message for row, item in zip(rows, items, strict=True) for message in told(row, item)])


async def publish_broadcast(
    tx: Tx, message: notifications.Message, *, sender: Actor, note: Note | None = None
) -> Published:
    """Put a message into everybody's inbox: one row, whatever the number of users, and the note of it in the audit."""
    row = await notifications.insert_broadcast(tx, message, sender_id=sender.user_id, note=note)
    item = item_of(row, message, sender)
    return Published([item], told(row, item))


def item_of(row: Sent, message: notifications.Message, sender: Actor) -> Item:
    """The item of a row just inserted, as its recipient's list shows it."""
    return Item(
        id=row.id,
        type="broadcast" if row.user_id is None else "personal",
        title=message.title,
        content=message.content,
        link=message.link,
        priority=message.priority,
        tags=message.tags,
        channels=message.channels,
        sender=Sender(sender.user_id, sender.display_name or sender.email),
        state="unread",
        status=row.status,
        created_at=row.at,
        updated_at=row.at,
        read_at=None,
        send_at=message.send_at,
        expires_at=message.expires_at,
    )


def told(row: Sent, item: Item) -> list[Message]:
    """The messages about a row. What is scheduled has none yet; without the inbox channel it is perhaps an alert."""
    if row.status == DeliveryStatus.SCHEDULED:
        return []
    alert = _alert(item)
    if row.modseq is None:
        return [Alerted(row.user_id, event) for event in alert]
    events = [frames.notification(item), *alert]
    if row.user_id is None:
        return [BroadcastChanged(row.modseq, True, events)]
    assert row.unread is not None
    return [InboxChanged(row.user_id, row.modseq, row.unread, events)]


def _alert(item: Item) -> list[Event]:
    wanted = item.priority > ALERTS_NEVER and Channel.DESKTOP in item.channels
    if not wanted and item.priority < ALERTS_ALWAYS:
        return []
    return [frames.desktop(Alert(uuid4().hex, item.id, item.title, item.content, item.link, item.updated_at))]
