"""Posts at a steady pace, and how long after each its events are read from a stream on another connection."""

import asyncio
import re
from time import perf_counter

import msgspec

from tests.bench.client.wire import Asking, Unexpected

LONGEST_WAIT = 10.0  # seconds for the last events
EVENT = re.compile(rb"event: (\w+)\ndata: (.*)\n\n")


class Paced(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The first `warm_up` posts are not counted."""

    port: int
    stream: str
    post: str
    posts: int
    warm_up: int
    per_second: float


class Arrived(msgspec.Struct, frozen=True, kw_only=True):
    """Milliseconds from before a post was written until its event was read.

    `late` posts were written more than 5 ms after their time: the machine, or a slow answer to the one before.
    """

    notification_ms: list[float]
    count_ms: list[float]
    late: int


class _Identified(msgspec.Struct):
    id: int


class _Stream(asyncio.Protocol):
    """Notes when the events of each notification came; a `count` belongs to the notification before it."""

    def __init__(self) -> None:
        self._begun = b""
        self._last = 0
        self.opened = asyncio.Event()
        self.changed = asyncio.Event()
        self.notifications: dict[int, float] = {}
        self.counts: dict[int, float] = {}

    def data_received(self, data: bytes) -> None:
        now = perf_counter()
        self._begun += data
        end = 0
        for event in EVENT.finditer(self._begun):
            end = event.end()
            self._note(event[1], event[2], now)
        self._begun = self._begun[end:]
        self.changed.set()

    def _note(self, name: bytes, data: bytes, now: float) -> None:
        match name:
            case b"open":
                self.opened.set()
            case b"notification":
                self._last = msgspec.json.decode(data, type=_Identified).id
                self.notifications[self._last] = now
            case b"count":
                self.counts[self._last] = now

    async def until(self, ids: set[int]) -> None:
        try:
            async with asyncio.timeout(LONGEST_WAIT):
                while not (ids <= self.notifications.keys() and ids <= self.counts.keys()):
                    self.changed.clear()
                    await self.changed.wait()
        except TimeoutError:
            missing = sorted(ids - self.counts.keys())
            raise Unexpected(f"no events for {len(missing)} notifications: {missing[:10]}") from None


async def pace(job: Paced) -> Arrived:
    loop = asyncio.get_running_loop()
    transport, stream = await loop.create_connection(_Stream, "127.0.0.1", job.port)
    transport.write(job.stream.encode())
    await asyncio.wait_for(stream.opened.wait(), LONGEST_WAIT)
    _, connection = await loop.create_connection(lambda: Asking(202), "127.0.0.1", job.port)

    request = job.post.encode()
    posted: dict[int, float] = {}
    late = 0
    began = loop.time()
    for number in range(job.posts + job.warm_up):
        due = began + number / job.per_second
        await asyncio.sleep(max(0.0, due - loop.time()))
        late += number >= job.warm_up and loop.time() - due > 0.005
        at = perf_counter()
        answer = await connection.ask(request)
        if number >= job.warm_up:
            posted[msgspec.json.decode(answer, type=_Identified).id] = at
    await stream.until(set(posted))
    return Arrived(
        notification_ms=[(stream.notifications[each] - at) * 1e3 for each, at in posted.items()],
        count_ms=[(stream.counts[each] - at) * 1e3 for each, at in posted.items()],
        late=late,
    )
