"""Who is connected here, and what each of them has seen.

The hub knows nothing of Redis or PostgreSQL: messages come in through `receive`, streams that cannot take one are
queued in `behind` for the reader (`resume.py`). One event is encoded once; writing it is one call a stream.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime

import structlog

from belfry.realtime import frames
from belfry.realtime.frames import Alerted, BroadcastChanged, InboxChanged, Message, SessionEnded
from belfry.realtime.stream import Phase, Stream
from belfry.realtime.sweep import Sweep

log = structlog.get_logger()

RECENT = 256  # broadcasts kept for streams that join in between; further back they read the database
MOST_WAITING = 100  # messages kept for a stream that is being read: the newest, for what is missing shows before them
GRACE = 0.05  # seconds; two publishers' messages may cross, a hole older than this is one
BEATS = 150  # turns of a heartbeat; each stream has one at random, so that a turn of 10,000 is half a millisecond
GOODBYE_MS = (250, 4_000)  # a restart brings everybody back; spread over this they do not come at once


class Hub:
    def __init__(self, *, lagging_seconds: float, changed: Callable[[int, int], None]) -> None:
        """`changed` is told a user and how many streams that user has now, whenever that changes."""
        self.users: dict[int, list[Stream]] = {}
        self.broadcasts = 0  # the number all live streams stand at, or are being swept to
        self.behind: dict[Stream, None] = {}  # in order; twice in one read, a stream would be told things twice
        self.something_behind = asyncio.Event()
        self.broadcast_hole = asyncio.Event()
        self.closing = False
        self.open = 0
        self._lagging_seconds = lagging_seconds
        self._changed = changed
        self._beats: list[set[Stream]] = [set() for _ in range(BEATS)]
        self._recent: deque[BroadcastChanged] = deque(maxlen=RECENT)
        self._early: dict[int, BroadcastChanged] = {}
        self._expected = 0
        self._sweep = Sweep(self.catch_up)

    # Streams

    def add(self, stream: Stream) -> None:
        """Take a stream in. It hears of changes from now on, and is told where it stands by the reader."""
        streams = self.users.setdefault(stream.user_id, [])
        streams.append(stream)
        self.open += 1
        self._changed(stream.user_id, len(streams))
        stream.beat = random.randrange(BEATS)  # noqa: S311
        self._beats[stream.beat].add(stream)
        self.have_read(stream)
        if self.closing:
            self.on_stop(stream)

    def remove(self, stream: Stream) -> None:
        if stream.phase is Phase.CLOSED:
            return
        if stream.phase is Phase.LIVE:
            self._sweep.leave()
        stream.phase = Phase.CLOSED
        stream.waiting = []
        self.open -= 1
        self._beats[stream.beat].discard(stream)
        streams = self.users[stream.user_id]
        streams.remove(stream)
        if not streams:
            del self.users[stream.user_id]
        self._changed(stream.user_id, len(streams))

    def catch_up(self, stream: Stream) -> None:
        """Have what a live stream misses read from the database. One that lags comes to it when its client does."""
        if stream.phase is Phase.LIVE:
            self._sweep.leave()
            self.have_read(stream)

    def have_read(self, stream: Stream) -> None:
        """Have read where a stream stands, from this moment on: what is under way for it may be too old."""
        stream.phase = Phase.READING
        self.behind[stream] = None
        self.something_behind.set()

    def join(self, stream: Stream) -> None:
        """Go live from the position just read: apply what came meanwhile, then stand where all live streams stand.

        One that only asked what there is ends here.
        """
        waiting, stream.waiting = stream.waiting, []
        stream.phase = Phase.LIVE
        self._sweep.join(stream)
        self.expect(stream.broadcasts)
        self._bring_up(stream)
        for message in waiting:
            if stream.phase is not Phase.LIVE:
                break
            self._inbox_changed(stream, message)
        if stream.poll:
            self.end(stream)

    def end(self, stream: Stream, *, at_once: bool = False) -> None:
        if stream.phase is not Phase.CLOSED:
            self.remove(stream)
            stream.hang_up(at_once)

    def close(self) -> None:
        """Say goodbye to everybody, each with another time to come back, and take no more in."""
        self.closing = True
        for streams in list(self.users.values()):
            for stream in list(streams):
                self.on_stop(stream)

    def beat(self, turn: int) -> None:
        """Give the streams of this turn a sign of life, and end those whose time is over."""
        now, moment = datetime.now(UTC), asyncio.get_running_loop().time()
        for stream in tuple(self._beats[turn % BEATS]):
            if stream.expires_at <= now:
                self.end(stream)
            elif stream.phase is not Phase.LAGGING:
                stream.write(stream.dialect.form.heartbeat)
            elif moment - stream.since > self._lagging_seconds:
                self.end(stream, at_once=True)

    # What the connection reports; called inside a write, so only note it

    def on_paused(self, stream: Stream) -> None:
        if stream.phase is not Phase.CLOSED:
            if stream.phase is Phase.LIVE:
                self._sweep.leave()
            stream.phase = Phase.LAGGING
            stream.waiting = []
            stream.since = asyncio.get_running_loop().time()

    def on_resumed(self, stream: Stream) -> None:
        if stream.phase is Phase.LAGGING:
            self.have_read(stream)

    def on_lost(self, stream: Stream) -> None:
        self.remove(stream)

    def on_stop(self, stream: Stream) -> None:
        if stream.phase is not Phase.CLOSED:
            lagging = stream.phase is Phase.LAGGING
            if not lagging:
                stream.write(stream.dialect.form.reconnect(random.randint(*GOODBYE_MS)))  # noqa: S311
            self.end(stream, at_once=lagging)

    # Messages

    def receive(self, message: Message) -> None:
        match message:
            case InboxChanged():
                for stream in tuple(self.users.get(message.user_id, ())):
                    self._inbox_changed(stream, message)
            case BroadcastChanged():
                self._broadcast_changed(message)
            case Alerted(user_id=None):
                self._sweep.alert(message.event)
            case Alerted():
                for stream in tuple(self.users.get(message.user_id or 0, ())):
                    if stream.phase is Phase.LIVE:
                        stream.write(stream.dialect.plain([message.event]))
            case SessionEnded():
                for stream in tuple(self.users.get(message.user_id, ())):
                    if stream.session_id == message.session_id:
                        self.end(stream)

    def expect(self, number: int) -> None:
        """The broadcasts are known to be at this number; if its message does not come, it was lost."""
        if number > max(self.broadcasts, self._expected):
            self._expected = number
            asyncio.get_running_loop().call_later(GRACE, self._look_for_hole)

    @property
    def heard(self) -> int:
        """The highest broadcast number anybody spoke of."""
        return max(self.broadcasts, self._expected)

    def correct(self, number: int) -> None:
        """The broadcasts are at a number below one that was heard of before the database was asked.

        It lost what it had committed, or somebody else publishes here. Waiting for that number would make us deaf to
        the ones before it, so forget it; streams that went past the database are told to start over.
        """
        self._early.clear()
        self._expected = 0
        if self.broadcasts > number:
            self.broadcasts = number
            self._recent.clear()
            for streams in self.users.values():
                for stream in streams:
                    self.catch_up(stream)

    def fill(self, messages: list[BroadcastChanged]) -> None:
        """Take broadcasts read from the database for messages that did not come."""
        for message in messages:
            self._broadcast_changed(message)

    def _look_for_hole(self) -> None:
        if self.broadcasts < self._expected:
            self.broadcast_hole.set()

    def _inbox_changed(self, stream: Stream, message: InboxChanged) -> None:
        if stream.phase is Phase.LIVE and message.modseq <= stream.inbox:
            return
        if stream.phase is Phase.LIVE and message.newest_broadcast > stream.broadcasts:
            self._bring_up(stream)
        if stream.phase is Phase.READING:
            stream.waiting.append(message)
            del stream.waiting[:-MOST_WAITING]
        if stream.phase is not Phase.LIVE:
            return
        if message.modseq > stream.inbox + 1 or message.newest_broadcast > stream.broadcasts:
            self.catch_up(stream)  # what is read from here on includes this message
            return
        stream.at(message.modseq, stream.broadcasts)
        stream.offset += message.broadcasts
        count = frames.count(stream.total(message.unread))
        stream.write(stream.dialect.numbered([*message.events, count], stream.inbox, stream.broadcasts))

    def _broadcast_changed(self, message: BroadcastChanged) -> None:
        if message.modseq <= self.broadcasts:
            return
        if message.modseq > self.broadcasts + 1:
            self._early[message.modseq] = message
            self.expect(message.modseq)
            return
        following: BroadcastChanged | None = message
        while following is not None:
            self.broadcasts = following.modseq
            self._recent.append(following)
            self._sweep.broadcast(following)
            following = self._early.pop(self.broadcasts + 1, None)

    def _bring_up(self, stream: Stream) -> None:
        """Write the broadcasts between this stream's number and the hub's."""
        for message in self._recent:
            if stream.phase is Phase.LIVE and message.modseq == stream.broadcasts + 1:
                self._sweep.deliver(stream, message)
        if stream.phase is Phase.LIVE and stream.broadcasts < self.broadcasts:
            self.catch_up(stream)
