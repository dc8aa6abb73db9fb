"""What travels on the live path: messages through Redis, both ends of their format, and the events inside them.

A process that changed something publishes a message; every web process has one connection that receives all of them and
writes them to the streams they concern. A message carries events already encoded as JSON, so that this happens once.
"""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Final

import msgspec

from db.queries.broadcasts import Progress
from db.queries.notifications import Item

INBOXES: Final = "belfry:inboxes"
BROADCASTS: Final = "belfry:broadcasts"

LARGEST = 2**63 - 1
EVENT_ID = re.compile(r"(\d{1,19})\.(\d{1,19})", re.ASCII)


class Event(msgspec.Struct, frozen=True, array_like=True):
    """A named event; `data` is JSON."""

    name: str
    data: bytes


class InboxChanged(msgspec.Struct, frozen=True, array_like=True, tag="inbox"):
    """An inbox took the number `modseq`: now `unread` personal items are unread, and `broadcasts` more broadcasts.

    `newest_broadcast` is the highest number of the broadcasts it touched: a stream that has not seen that one yet
    cannot apply the change and reads it from the database.
    """

    user_id: int
    modseq: int
    unread: int
    events: list[Event]
    broadcasts: int = 0
    newest_broadcast: int = 0


class BroadcastChanged(msgspec.Struct, frozen=True, array_like=True, tag="broadcast"):
    """The broadcasts took the number `modseq`: one arrived, or some were removed."""

    modseq: int
    arrived: bool
    events: list[Event]


class Alerted(msgspec.Struct, frozen=True, array_like=True, tag="alert"):
    """A transient event for one user, or with None for everyone; it has no number and is stored nowhere."""

    user_id: int | None
    event: Event


class SessionEnded(msgspec.Struct, frozen=True, array_like=True, tag="session"):
    """A login is over, or not what it was; its streams end."""

    user_id: int
    session_id: int


Message = InboxChanged | BroadcastChanged | Alerted | SessionEnded

_encode = msgspec.msgpack.Encoder().encode
_decoder: msgspec.msgpack.Decoder[Message] = msgspec.msgpack.Decoder(Message)
to_json = msgspec.json.Encoder().encode


def pack(message: Message) -> bytes:
    return _encode(message)


def unpack(data: bytes) -> Message:
    """Raises one of `UNDECODABLE` for what is not one of our messages."""
    return _decoder.decode(data)


def channel(message: Message) -> str:
    """The Redis channel a message goes through: what concerns everyone has one of its own."""
    match message:
        case BroadcastChanged() | Alerted(user_id=None):
            return BROADCASTS
        case _:
            return INBOXES


# Events


class Alert(msgspec.Struct, frozen=True):
    """A desktop alert as the stream carries it."""

    id: str
    notification_id: int | None
    title: str
    content: str
    link: str | None
    sent_at: datetime


def notification(item: Item) -> Event:
    return Event("notification", to_json(item))


def state(name: str, ids: Iterable[int]) -> Event:
    return Event("state", to_json({"state": name, "ids": list(ids)}))


def state_through(name: str, notification_id: int) -> Event:
    return Event("state", to_json({"state": name, "through": notification_id}))


def desktop(alert: Alert) -> Event:
    return Event("desktop", to_json(alert))


def queue(mail: str, reason: str | None) -> Event:
    """For admins: sending has stopped, and why, or goes on."""
    return Event("queue", to_json({"mail": mail, "reason": reason}))


def progress(so_far: Progress) -> Event:
    return Event("progress", to_json(so_far))


def count(total: int) -> Event:
    return Event("count", b'{"count":%d,"total":true}' % total)


ONE_MORE = Event("count", b'{"count":1,"total":false}')


def opened(*, resumed: bool, replayed: int, unread: int) -> Event:
    return Event("open", to_json({"resumed": resumed, "replayed": replayed, "unread": unread}))


def reset(reason: str, unread: int) -> Event:
    return Event("reset", to_json({"reason": reason, "unread": unread}))


def position(event_id: str) -> tuple[int, int] | None:
    """Read an event id. None if it is not one of ours."""
    found = EVENT_ID.fullmatch(event_id)
    if found is None:
        return None
    inbox, broadcasts = int(found[1]), int(found[2])
    return (inbox, broadcasts) if max(inbox, broadcasts) <= LARGEST else None
