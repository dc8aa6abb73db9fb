"""One open stream: whose it is, where it stands, and how to write to it."""

from collections.abc import Callable
from datetime import datetime
from enum import IntEnum
from typing import Protocol

from belfry.realtime.formats import Dialect
from belfry.realtime.frames import InboxChanged


class Phase(IntEnum):
    READING = 0
    """Waits for PostgreSQL to say where it stands; live changes are kept for it."""
    LIVE = 1
    """Stands at a position and takes the next number as it comes."""
    LAGGING = 2
    """Its client does not keep up; nothing is written until it does."""
    CLOSED = 3


class Owner(Protocol):
    """The hub, as a stream sees it."""

    def on_paused(self, stream: "Stream") -> None: ...

    def on_resumed(self, stream: "Stream") -> None: ...

    def on_lost(self, stream: "Stream") -> None: ...

    def on_stop(self, stream: "Stream") -> None: ...


class Stream:
    """A stream at position (inbox, broadcasts).

    `offset` + `broadcasts` is the number of broadcasts its user has not read: each broadcast number adds one to
    everybody's, so arrivals need no counting a stream. Together with the personal count that a message carries it is
    the database's own count at this position.
    """

    __slots__ = (
        "beat",
        "broadcasts",
        "cursor",
        "dialect",
        "expires_at",
        "hang_up",
        "inbox",
        "listed",
        "offset",
        "opened",
        "owner",
        "phase",
        "poll",
        "prefix",
        "session_id",
        "since",
        "user_id",
        "waiting",
        "write",
    )

    def __init__(
        self,
        owner: Owner,
        *,
        user_id: int,
        session_id: int,
        expires_at: datetime,
        cursor: str | None,
        dialect: Dialect,
        poll: bool = False,
    ) -> None:
        self.owner = owner
        self.user_id = user_id
        self.session_id = session_id
        self.expires_at = expires_at
        self.cursor = cursor
        self.phase = Phase.READING
        self.opened = False
        self.listed = False  # in the sweep's list
        self.beat = 0  # which of the heartbeat's turns is its own
        self.inbox = 0
        self.broadcasts = 0
        self.offset = 0
        self.dialect = dialect
        self.poll = poll
        self.prefix = dialect.prefix(0)
        self.since = 0.0  # loop time at which it began to lag
        self.waiting: list[InboxChanged] = []
        self.write: Callable[[bytes], None]
        self.hang_up: Callable[[bool], None]

    def at(self, inbox: int, broadcasts: int) -> None:
        """Move to a position."""
        self.inbox = inbox
        self.broadcasts = broadcasts
        self.prefix = self.dialect.prefix(inbox)

    def total(self, personal: int) -> int:
        """The badge, given the count of unread personal items at this position."""
        return personal + self.offset + self.broadcasts

    # realtime.protocol.Listener

    def paused(self) -> None:
        self.owner.on_paused(self)

    def resumed(self) -> None:
        self.owner.on_resumed(self)

    def lost(self) -> None:
        self.owner.on_lost(self)

    def stop(self) -> None:
        self.owner.on_stop(self)
