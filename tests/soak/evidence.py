"""What was written down, by four that do not know of each other: senders, mail server, streams and database.

Times are seconds since 1970. Everything here is plain data, so that a verdict can be tried on evidence made up.
"""

from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from tests.realtime.client import Id
from tests.realtime.history import Truth

EVERYBODY: list[int] = []


class Try(msgspec.Struct, kw_only=True):
    """One request sent, and what came of it: a status, or None where no answer came."""

    began: float
    ended: float
    at: str
    status: int | None
    retry_after: bool = False
    text: str = ""

    @property
    def accepted(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


class Sent(msgspec.Struct, kw_only=True):
    """Something sent under a token of its own, which is its title. `to` is EVERYBODY for a broadcast."""

    token: str
    sender: int
    path: str
    to: list[int]
    channels: list[str]
    key: str | None
    tries: list[Try] = []
    answers: list[list[int]] = []
    """The ids that each 2xx named."""
    clashed: list[int | None] = []
    """The statuses of other bodies sent under the same key after it was accepted."""

    @property
    def broadcast(self) -> bool:
        return self.path == "/v1/broadcasts"

    @property
    def accepted(self) -> bool:
        return bool(self.answers)


How = Literal["read", "unread", "delete"]


class Marked(msgspec.Struct, kw_only=True):
    user: int
    how: How
    ids: list[int] = []
    through: int | None = None
    tries: list[Try] = []

    @property
    def certain(self) -> bool:
        """It was done once, and before the next: a try without an answer may have been carried out late."""
        return self.tries[-1].accepted and all(each.status is not None for each in self.tries)


class Listed(msgspec.Struct, kw_only=True):
    """The ids on a page of somebody's inbox."""

    at: float
    user: int
    ids: list[int]


class Copy(msgspec.Struct, kw_only=True):
    """A mail the server took. `told_at` is when the worker had been told so."""

    at: float
    worker: str
    message_id: str
    recipient: str
    token: str
    told_at: float | None


class Told(msgspec.Struct, kw_only=True):
    """The events that completed a position of a stream; `opening` counts how often it had been opened by then."""

    at: float
    position: Id
    opening: int
    events: list[tuple[str, dict[str, Any]]]


class Heard(msgspec.Struct, kw_only=True):
    """All that one client was told, over all the times it came back."""

    name: str
    user: int
    told: list[Told] = []
    broken: str = ""


class Hurt(msgspec.Struct, kw_only=True):
    """A fault: from when it was begun to when it was over."""

    name: str
    group: str
    target: str
    began: float
    ended: float = float("inf")
    note: str = ""

    def touches(self, since: float, until: float) -> bool:
        return self.began <= until and self.ended >= since


class Stopped(msgspec.Struct, kw_only=True):
    """How a process that had run for `ran` seconds took SIGTERM: after how long it was gone, and with which code."""

    who: str
    at: float
    ran: float
    seconds: float
    code: int


class Died(msgspec.Struct, kw_only=True):
    """A process that ended although nobody asked it to."""

    who: str
    at: float
    code: int


class Item(msgspec.Struct, kw_only=True):
    """A row of notifications; `user` is None for a broadcast."""

    id: int
    user: int | None
    token: str
    number: int | None
    created: float
    place: tuple[float, int]
    state: Literal["read", "unread", "deleted"]


class Attempt(msgspec.Struct, kw_only=True):
    worker: str
    began: float
    ended: float
    outcome: str
    text: str

    @property
    def repeatable(self) -> bool:
        """After it the mail may be at the server, and nobody knows."""
        return self.outcome == "lost" or "after the mail was handed over" in self.text


class Delivery(msgspec.Struct, kw_only=True):
    id: int
    notification: int
    user: int
    status: str
    attempts: int
    created: float
    tried: list[Attempt] = []


class Box(msgspec.Struct, kw_only=True):
    """An inbox as it was in the end; `receipts` are its user's marks on broadcasts."""

    user: int
    email: str
    position: Id
    badge: int
    broadcasts_from: int
    receipts: dict[int, str]
    truth: Truth


class Evidence(msgspec.Struct, kw_only=True):
    """`healed` is when the last fault was over; the other two are how many seconds later all was well, or None."""

    hurts: list[Hurt] = []
    sent: list[Sent] = []
    marked: list[Marked] = []
    listed: list[Listed] = []
    stopped: list[Stopped] = []
    died: list[Died] = []
    copies: list[Copy] = []
    heard: list[Heard] = []
    items: dict[int, Item] = {}
    deliveries: list[Delivery] = []
    boxes: dict[int, Box] = {}
    healed: float = 0.0
    mail_seconds: float | None = None
    stream_seconds: float | None = None

    def hurting(self, since: float, until: float, *groups: str) -> bool:
        """Whether one of these was hurt at some time in between."""
        return any(hurt.group in groups and hurt.touches(since, until) for hurt in self.hurts)


class Broken(msgspec.Struct, frozen=True, kw_only=True):
    """A promise that did not hold, with what shows it; `kind` is the row of the table it counts in."""

    promise: int
    kind: str
    what: str
    at: float
    ids: list[int] = []


def percentile(values: Iterable[float], part: float) -> float:
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)] if ordered else 0.0
