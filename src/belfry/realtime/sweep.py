"""Writing one thing to all live streams, a slice a turn of the event loop.

Ten thousand writes hold the loop for 60 ms and more; sliced, requests and other events get their turn in between.
"""

import asyncio
from collections import deque
from collections.abc import Callable

from belfry.realtime import frames
from belfry.realtime.formats import Dialect
from belfry.realtime.frames import BroadcastChanged, Event
from belfry.realtime.stream import Phase, Stream

SLICE = 25  # streams; a quarter of a millisecond. A request takes some ten turns of the loop, each behind a slice
MOST_REST = 0.05  # seconds
LIVE = Phase.LIVE  # the look-up costs 50 ns, for each stream


class Sweep:
    """The list of live streams, and what is still to be written to all of them."""

    def __init__(self, catch_up: Callable[[Stream], None]) -> None:
        self._catch_up = catch_up
        self._live: list[Stream] = []
        self._gone = 0
        self._due: deque[BroadcastChanged | Event] = deque()
        self._running = False
        self._began = 0.0
        self._rested = 0.0  # the moment at which the next may begin

    def join(self, stream: Stream) -> None:
        if not stream.listed:  # one that left and came back between two sweeps still is
            stream.listed = True
            self._live.append(stream)

    def leave(self) -> None:
        """Note that a stream is no longer live; it is dropped from the list between two sweeps, not inside one."""
        self._gone += 1
        if not self._running and self._gone > SLICE + len(self._live) // 2:
            self._compact()

    def broadcast(self, message: BroadcastChanged) -> None:
        self._due.append(message)
        self._start()

    def alert(self, event: Event) -> None:
        self._due.append(event)
        self._start()

    def deliver(self, stream: Stream, message: BroadcastChanged) -> None:
        """Write one broadcast to one stream that stands right before it."""
        if message.arrived:
            stream.broadcasts = message.modseq
            stream.write(stream.prefix.join(_pieces(stream.dialect, [message])))
            return
        if message.events:
            stream.broadcasts = message.modseq
            stream.write(stream.dialect.plain(message.events))
        # The removal lowered some counts: they are read anew. Where its message was lost nobody knows what is gone;
        # such a stream stays below the floor, and is told to start over.
        self._catch_up(stream)

    def _start(self) -> None:
        if not self._running:
            self._running = True
            loop = asyncio.get_running_loop()
            # what one read from Redis brought is all here before the loop turns, and goes out as one write
            loop.call_at(max(self._rested, loop.time()), self._next)

    def _next(self) -> None:
        if self._gone:
            self._compact()
        if not self._due:
            self._running = False
            return
        self._began = asyncio.get_running_loop().time()
        first = self._due.popleft()
        if isinstance(first, Event):
            self._write_alert(first, {}, 0)
        elif first.arrived:
            arrivals = [first]
            while self._due and isinstance(self._due[0], BroadcastChanged) and self._due[0].arrived:
                following = self._due.popleft()
                assert isinstance(following, BroadcastChanged)
                arrivals.append(following)
            self._write_arrivals(arrivals, {}, 0)
        else:
            self._write_removal(first, 0)

    def _compact(self) -> None:
        live = []
        for stream in self._live:
            if stream.phase is LIVE:
                live.append(stream)
            else:
                stream.listed = False
        self._live = live
        self._gone = 0

    def _write_arrivals(self, arrivals: list[BroadcastChanged], made: dict[Dialect, list[bytes]], start: int) -> None:
        before, last = arrivals[0].modseq - 1, arrivals[-1].modseq
        for stream in self._live[start : start + SLICE]:
            if stream.phase is not LIVE:
                continue
            if stream.broadcasts == before:
                pieces = made.get(stream.dialect)
                if pieces is None:
                    pieces = made[stream.dialect] = _pieces(stream.dialect, arrivals)
                stream.broadcasts = last
                stream.write(stream.prefix.join(pieces))
            elif stream.broadcasts > before:  # it came in between, or a message of its own brought it up
                for message in arrivals[stream.broadcasts - before :]:
                    if stream.phase is LIVE:
                        self.deliver(stream, message)
            else:
                self._catch_up(stream)
        self._then(start, lambda at: self._write_arrivals(arrivals, made, at))

    def _write_removal(self, message: BroadcastChanged, start: int) -> None:
        for stream in self._live[start : start + SLICE]:
            if stream.phase is LIVE and stream.broadcasts == message.modseq - 1:
                self.deliver(stream, message)
        self._then(start, lambda at: self._write_removal(message, at))

    def _write_alert(self, event: Event, made: dict[Dialect, bytes], start: int) -> None:
        for stream in self._live[start : start + SLICE]:
            if stream.phase is LIVE:
                frame = made.get(stream.dialect)
                if frame is None:
                    frame = made[stream.dialect] = stream.dialect.plain([event])
                stream.write(frame)
        self._then(start, lambda at: self._write_alert(event, made, at))

    def _then(self, start: int, carry_on: Callable[[int], None]) -> None:
        loop = asyncio.get_running_loop()
        if start + SLICE < len(self._live):
            loop.call_soon(carry_on, start + SLICE)
            return
        # Rest for as long as that took: requests get half of the time at least, and of a burst what comes meanwhile
        # goes out as one write.
        self._rested = loop.time() + min(loop.time() - self._began, MOST_REST)
        loop.call_at(self._rested, self._next)


def _pieces(dialect: Dialect, arrivals: list[BroadcastChanged]) -> list[bytes]:
    """Several broadcasts as one frame, in pieces between which each stream puts its own prefix."""
    pieces = [b""]
    for message in arrivals:
        first, *rest = dialect.pieces([*message.events, frames.ONE_MORE], message.modseq)
        pieces[-1] += first
        pieces += rest
    return pieces
