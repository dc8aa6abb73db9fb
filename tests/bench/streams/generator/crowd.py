"""Many open streams in one process: what comes is counted and checked as cheaply as Python can."""

import asyncio
import random
import re
from time import perf_counter, perf_counter_ns
from typing import cast

from tests.bench.client.wire import Unexpected
from tests.bench.streams.generator.jobs import TIMEOUT, Open, Seen, Standing

ID = re.compile(rb'id: (\d+)\.(\d+)\nevent: (\w+)\ndata: \{(?:"count":(\d+),"total":(t|f))?')
UNREAD = re.compile(rb'"unread":(\d+)\}')
STAMP = re.compile(rb'"title":"t=(\d+)"')

AGAIN = 0.5  # seconds until a client that was turned away tries again

# uvloop reads into it and tells the stream within one call: all of them can share it
BUFFER = memoryview(bytearray(256 * 1024))


class Crowd:
    """`timed`: events carry the moment they were published at, in `perf_counter_ns`."""

    def __init__(self) -> None:
        self.streams: list[Watcher] = []
        self.users: list[int] = []
        self.checked = False
        self.timed = False
        self.events = 0
        self.violations = 0
        self.lost = 0
        self.took: list[float] = []
        self.frame = b""
        self.first: float | None = None
        self._expected = self._enough = 0
        self._reached: asyncio.Future[None] | None = None

    async def open(self, job: Open) -> float:
        """Open streams and return how many seconds it took."""
        self.checked, self.users = job.checked, job.users
        left = iter(job.requests)
        began = perf_counter()

        async def some() -> None:
            for request in left:
                self.streams.append(await open_stream(self, job.port, request))

        async with asyncio.TaskGroup() as group:
            for _ in range(job.in_flight):
                group.create_task(some())
        seconds = perf_counter() - began
        where = dict(zip(job.requests, job.users, strict=True))
        self.users = [where[stream.request] for stream in self.streams]
        return seconds

    async def come_back(self, port: int) -> list[float]:
        """Open all streams anew at the same moment, each after its last event; milliseconds it took each of them.

        They must have ended. Who is turned away or cut tries again, as a browser does.
        """
        streams, self.streams = self.streams, []
        assert self.lost == len(streams), f"{len(streams) - self.lost} streams are open"
        self.lost = 0

        async def one(before: Watcher) -> float:
            began = perf_counter()
            while True:
                try:
                    self.streams.append(await open_stream(self, port, before.request, after=before))
                except (OSError, Unexpected):
                    await asyncio.sleep(AGAIN * random.uniform(0.5, 1.5))
                else:
                    return (perf_counter() - began) * 1e3

        took = await asyncio.gather(*[one(stream) for stream in streams])
        where = dict(zip((stream.request for stream in streams), self.users, strict=True))
        self.users = [where[stream.request] for stream in self.streams]
        return took

    async def close(self) -> None:
        streams, self.streams = self.streams, []
        for stream in streams:
            stream.vanish()
        await asyncio.sleep(0)

    def expect(self, events: int) -> None:
        """From now on `wait` waits for this many more."""
        self._expected = self.events + events
        self.first = None

    async def wait(self) -> None:
        await self.reach(self._expected)

    async def reach(self, events: int) -> None:
        """Wait until this many have been seen, counted from the beginning."""
        if self.events >= events:
            return
        self._enough, self._reached = events, asyncio.get_running_loop().create_future()
        try:
            await asyncio.wait_for(self._reached, TIMEOUT)
        except TimeoutError:
            raise Unexpected(f"{events - self.events} events never came, {self.lost} streams ended") from None

    def look(self) -> Seen:
        return Seen(
            events=self.events,
            violations=self.violations,
            lost=self.lost,
            frame=self.frame,
            standings=[
                Standing(user_id, stream.inbox, stream.broadcasts, stream.badge)
                for user_id, stream in zip(self.users, self.streams, strict=True)
            ],
        )

    def seen(self, events: int) -> None:
        if self.first is None:
            self.first = perf_counter()
        self.events += events
        if self.events >= self._enough and self._reached is not None and not self._reached.done():
            self._reached.set_result(None)


class Watcher(asyncio.BufferedProtocol):
    """One stream, from its request on. It is never opened again."""

    __slots__ = (
        "_begun",
        "_rest",
        "_resumes",
        "_transport",
        "badge",
        "broadcasts",
        "crowd",
        "inbox",
        "opened",
        "request",
    )

    def __init__(self, crowd: Crowd, request: str, after: "Watcher | None" = None) -> None:
        """`after`: the same stream as it was before, which this one goes on from."""
        self.crowd = crowd
        self.request = request
        self.inbox: int = 0 if after is None else after.inbox
        self.broadcasts: int = 0 if after is None else after.broadcasts
        self.badge: int = 0 if after is None else after.badge
        self._resumes = after is not None
        self.opened: asyncio.Future[None] | None = asyncio.get_running_loop().create_future()
        self._begun = False
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        request = self.request
        if self._resumes:
            request = request.replace("\r\n\r\n", f"\r\nlast-event-id: {self.inbox}.{self.broadcasts}\r\n\r\n")
        self._transport.write(request.encode())

    def vanish(self) -> None:
        self._transport.abort()

    def get_buffer(self, sizehint: int) -> memoryview:
        return BUFFER

    def buffer_updated(self, nbytes: int) -> None:
        data = self._rest + BUFFER[:nbytes]
        if not self._begun:
            self._begun = True
            if not data.startswith(b"HTTP/1.1 200"):
                self._fail(data)
                return
        self._rest = b""
        if not data.endswith(b"\n\n"):
            end = data.rfind(b"\n\n") + 2
            if end < 2:
                self._rest = data
                return
            data, self._rest = data[:end], data[end:]
        found = ID.findall(data)
        if found:
            self._note(found, data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.opened is None:
            self.crowd.lost += 1
        self._fail(b"ended")

    def _note(self, found: list[tuple[bytes, bytes, bytes, bytes, bytes]], data: bytes) -> None:
        crowd = self.crowd
        if crowd.timed:
            now = perf_counter_ns()
            crowd.took += [(now - int(sent)) / 1e6 for sent in STAMP.findall(data)]
        for one, other, name, count, total in found:
            inbox, broadcasts = int(one), int(other)
            if name == b"open":
                self._stand(inbox, broadcasts)
                if crowd.checked:
                    [unread] = UNREAD.findall(data)
                    self.badge = int(unread)
                found = found[1:]
                continue
            if crowd.checked:
                ahead = (inbox - self.inbox, broadcasts - self.broadcasts)
                if ahead not in ((0, 1), (1, 0)) or name == b"reset":
                    crowd.violations += 1
                self.inbox, self.broadcasts = inbox, broadcasts
                if total:  # of what was missed only the last number ends with a count
                    self.badge = int(count) + (0 if total == b"t" else self.badge)
        if found:
            crowd.frame = data
            crowd.seen(len(found))

    def _stand(self, inbox: int, broadcasts: int) -> None:
        if self._resumes and (inbox, broadcasts) != (self.inbox, self.broadcasts):
            self.crowd.violations += 1
        self.inbox, self.broadcasts = inbox, broadcasts
        if self.opened is not None:
            self.opened.set_result(None)
            self.opened = None

    def _fail(self, why: bytes) -> None:
        if self.opened is not None and not self.opened.done():
            self.opened.set_exception(Unexpected(f"a stream did not open: {why[:500]!r}"))


async def open_stream(crowd: Crowd, port: int, request: str, *, after: Watcher | None = None) -> Watcher:
    loop = asyncio.get_running_loop()
    _, stream = await loop.create_connection(lambda: Watcher(crowd, request, after), "127.0.0.1", port)
    if stream.opened is not None:
        await asyncio.wait_for(stream.opened, TIMEOUT)
    return stream
