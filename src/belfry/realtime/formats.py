"""How events look on a stream: Server-Sent Events, JSON lines, or lines for a terminal.

A format writes an event that carries an id in two pieces, between which each stream puts its own prefix: so that a
broadcast is encoded once for all streams, although the first half of the id is each stream's own.
"""

from collections.abc import Callable, Iterable
from enum import StrEnum
from functools import cache
from typing import Any

import msgspec

from belfry.realtime.frames import Event
from belfry.undecodable import UNDECODABLE


class Type(StrEnum):
    """What a client may choose to receive. The rest - open, reset, reconnect - always comes."""

    NOTIFICATION = "notification"
    COUNT = "count"
    STATE = "state"
    DESKTOP = "desktop"
    QUEUE = "queue"
    PROGRESS = "progress"


class Format(msgspec.Struct, frozen=True, eq=False):
    name: str
    content_type: str
    greeting: Callable[[int], bytes]
    """What a stream begins with, given the milliseconds a client should wait before it comes back."""
    heartbeat: bytes
    prefix: Callable[[int], bytes]
    plain: Callable[[Event], bytes]
    """An event without an id: a client that was cut off after it comes back from before it."""
    around: Callable[[Event, int], tuple[bytes, bytes]]
    """What comes before and after the prefix of an event with an id, given its broadcast number."""
    reconnect: Callable[[int], bytes]


class Dialect:
    """A format and the types of events a client wants: what one kind of stream is written in."""

    def __init__(self, form: Format, types: frozenset[Type] | None) -> None:
        self.form = form
        self._unwanted = frozenset[str]() if types is None else frozenset(Type) - types

    def prefix(self, inbox: int) -> bytes:
        """The stream's own part of an event id."""
        return self.form.prefix(inbox)

    def plain(self, events: Iterable[Event]) -> bytes:
        """Events that do not complete a change number, or have none."""
        return b"".join([self.form.plain(event) for event in events if event.name not in self._unwanted])

    def pieces(self, events: Iterable[Event], broadcasts: int) -> list[bytes]:
        """The events of one change number: `prefix.join(pieces)` is what a stream is sent.

        Only the last carries the id, so that a connection cut in between does not skip the rest. One piece, and empty,
        if none of them is wanted.
        """
        wanted = [event for event in events if event.name not in self._unwanted]
        if not wanted:
            return [b""]
        before, after = self.form.around(wanted[-1], broadcasts)
        return [self.plain(wanted[:-1]) + before, after]

    def numbered(self, events: Iterable[Event], inbox: int, broadcasts: int) -> bytes:
        """The events of one change number, for one stream."""
        return self.prefix(inbox).join(self.pieces(events, broadcasts))


# Server-Sent Events (https://html.spec.whatwg.org/multipage/server-sent-events.html)


def _sse_prefix(inbox: int) -> bytes:
    return b"id: %d." % inbox


def _sse_plain(event: Event) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (event.name.encode(), event.data)


def _sse_around(event: Event, broadcasts: int) -> tuple[bytes, bytes]:
    return b"", b"%d\n%b" % (broadcasts, _sse_plain(event))


def _sse_greeting(retry_ms: int) -> bytes:
    return b":\n\nretry: %d\n" % retry_ms


def _sse_reconnect(after_ms: int) -> bytes:
    return b"retry: %d\n%b" % (after_ms, _sse_plain(_reconnect(after_ms)))


SSE = Format(
    name="sse",
    content_type="text/event-stream",
    greeting=_sse_greeting,
    heartbeat=b":\n\n",
    prefix=_sse_prefix,
    plain=_sse_plain,
    around=_sse_around,
    reconnect=_sse_reconnect,
)


# One JSON object a line (https://github.com/ndjson/ndjson-spec); an empty line is a sign of life


def _json_prefix(inbox: int) -> bytes:
    return b"%d." % inbox


def _json_plain(event: Event) -> bytes:
    return b'{"event":"%b","id":null,"data":%b}\n' % (event.name.encode(), event.data)


def _json_around(event: Event, broadcasts: int) -> tuple[bytes, bytes]:
    return b'{"event":"%b","id":"' % event.name.encode(), b'%d","data":%b}\n' % (broadcasts, event.data)


NDJSON = Format(
    name="ndjson",
    content_type="application/x-ndjson",
    greeting=lambda _: b"",
    heartbeat=b"\n",
    prefix=_json_prefix,
    plain=_json_plain,
    around=_json_around,
    reconnect=lambda after_ms: _json_plain(_reconnect(after_ms)),
)


# One line an event, for people and for `while read`; no ids, and no sign of life that would be a line


def _text_plain(event: Event) -> bytes:
    line = " ".join(_words(event.name, _decoded(event.data)).split())
    return "".join(filter(str.isprintable, line)).encode() + b"\n"


def _decoded(data: bytes) -> Any:
    try:
        return msgspec.json.decode(data)
    except UNDECODABLE:
        return None


def _words(name: str, data: Any) -> str:
    """What an event says. Of one that is not known here, from a newer version or not from us at all, its name."""
    match name, data:
        case "open", {"replayed": missed, "unread": unread}:
            return f"connected, {missed} missed, {unread} unread"
        case "count", {"total": True, "count": count}:
            return f"{count} unread"
        case "count", _:
            return "one more unread"
        case (("notification" | "desktop"), {"title": title, "content": content, "link": link}):
            return " - ".join(filter(None, (title, content, link)))
        case "state", {"state": state, "through": through}:
            return f"{state}: {through} and all below"
        case "state", {"state": state, "ids": ids}:
            return f"{state}: {', '.join(map(str, ids))}"
        case "queue", {"mail": "paused", "reason": reason}:
            return f"mail is paused: {reason}"
        case "queue", _:
            return "mail is sent again"
        case "progress", {"notification_id": broadcast, "sent": sent, "failed": failed, "remaining": remaining}:
            return f"broadcast {broadcast}: {sent} sent, {failed} failed, {remaining} to go"
        case "reset", {"reason": reason, "unread": unread}:
            return f"reload the list: {reason}, {unread} unread"
        case "reconnect", {"after_ms": after_ms}:
            return f"the server restarts, reconnect in {after_ms} ms"
        case _:
            return name


TEXT = Format(
    name="text",
    content_type="text/plain",
    greeting=lambda _: b"",
    heartbeat=b"",
    prefix=lambda _: b"",
    plain=_text_plain,
    around=lambda event, _: (_text_plain(event), b""),
    reconnect=lambda after_ms: _text_plain(_reconnect(after_ms)),
)

FORMATS = {form.name: form for form in (SSE, NDJSON, TEXT)}


def _reconnect(after_ms: int) -> Event:
    return Event("reconnect", b'{"after_ms":%d}' % after_ms)


@cache
def dialect(form: Format, types: frozenset[Type] | None = None) -> Dialect:
    """One object for each kind of stream, so that what is encoded for one is encoded for all of its kind."""
    return Dialect(form, types)
