"""Publishing, and waiting until it has been read from the streams."""

import asyncio
import random
from collections.abc import Callable, Coroutine, Iterator
from datetime import UTC, datetime
from itertools import cycle, islice
from time import perf_counter, perf_counter_ns

from belfry.realtime import frames
from belfry.realtime.formats import SSE, dialect
from belfry.realtime.frames import InboxChanged
from db.queries.notifications import Item, Sender
from tests.bench.client.wire import Asking
from tests.bench.streams.generator import redis
from tests.bench.streams.generator.crowd import Crowd
from tests.bench.streams.generator.jobs import NOW, Ask, Command, Drip, Fan, Fanned, Flood, Flooded, Posts, Took

TEXT = "All 412 tests are green, in 3 minutes and 20 seconds. The log is kept for a week."
CHUNK = 250  # messages between two looks at how far the streams are
LATE = 0.005


async def fan(crowd: Crowd, job: Fan) -> Fanned:
    send, events = await _publisher(job.by)
    spread, whole = [], []
    due = perf_counter()
    for _ in range(job.times):
        await asyncio.sleep(max(0.0, due - perf_counter()))
        crowd.expect(events * len(crowd.streams))
        began = perf_counter()
        answered = asyncio.ensure_future(send())
        await crowd.wait()
        ended = perf_counter()
        await answered
        assert crowd.first is not None
        spread.append(ended - crowd.first)
        whole.append(ended - began)
        due = max(due + job.apart, perf_counter())
    return Fanned(spread=spread, whole=whole)


async def _publisher(by: Posts | Command) -> tuple[Callable[[], Coroutine[None, None, None]], int]:
    """What publishes once, and how many frames a stream gets for it."""
    if isinstance(by, Command):
        wire = await redis.connect(by.redis_url)
        command = redis.command(redis.EVERYONE, by.frame)

        async def tell() -> None:
            wire.send(command)

        return tell, 1
    asking = [await _asking(by.port, 202) for _ in range(by.at_once)]
    request = by.request.encode()

    async def post() -> None:
        await asyncio.gather(*(each.ask(request) for each in asking))

    return post, by.at_once


async def _asking(port: int, expect: int) -> Asking:
    _, asking = await asyncio.get_running_loop().create_connection(lambda: Asking(expect), "127.0.0.1", port)
    return asking


async def flood(crowd: Crowd, job: Flood) -> Flooded:
    wire = await redis.connect(job.redis_url)
    messages = list(_forged(crowd, job))
    chunks = [b"".join(messages[at : at + CHUNK]) for at in range(0, len(messages), CHUNK)]
    before = crowd.events
    crowd.expect(job.messages)
    began = perf_counter()
    for number, chunk in enumerate(chunks):
        await crowd.reach(before + number * CHUNK - job.window)
        wire.send(chunk)
        await asyncio.sleep(0)
    await crowd.wait()
    return Flooded(seconds=perf_counter() - began)


def _forged(crowd: Crowd, job: Flood) -> Iterator[bytes]:
    """A message to each stream in turn, with the numbers they expect."""
    numbers = [stream.inbox for stream in crowd.streams]
    for at in islice(cycle(range(len(numbers))), job.messages):
        numbers[at] += 1
        yield _command(crowd, at, numbers[at], "Build passed", bare=job.bare)


def _command(crowd: Crowd, at: int, number: int, title: str, *, bare: bool) -> bytes:
    """Publish to one stream: a message as web processes do, or for the baseline what is to be written."""
    message = InboxChanged(crowd.users[at], number, number, [frames.notification(_item(number, title))])
    if not bare:
        return redis.publish(frames.INBOXES.encode(), frames.pack(message))
    return redis.command(at, dialect(SSE).numbered([*message.events, frames.count(number)], number, 0))


def _item(number: int, title: str) -> Item:
    now = datetime.now(UTC)
    return Item(
        id=number,
        type="personal",
        title=title,
        content=TEXT,
        link=None,
        priority=3,
        tags=[],
        channels=["inbox"],
        sender=Sender(1, "Build server"),
        state="unread",
        status="none",
        created_at=now,
        updated_at=now,
        read_at=None,
    )


async def drip(crowd: Crowd, job: Drip) -> Took:
    wire = await redis.connect(job.redis_url)
    numbers = [stream.inbox for stream in crowd.streams]
    draw = random.Random(1)
    crowd.timed, crowd.took = True, []
    crowd.expect(job.messages)
    late = 0
    began = perf_counter()
    for sent in range(job.messages):
        late += await _until(began + sent / job.per_second)
        at = draw.randrange(len(numbers))
        numbers[at] += 1
        wire.send(_command(crowd, at, numbers[at], f"t={perf_counter_ns()}", bare=job.bare))
    await crowd.wait()
    crowd.timed = False
    return Took(events=crowd.took, answers=[], late=late)


async def _until(due: float) -> bool:
    """Sleep until a moment; whether it was too late for it."""
    await asyncio.sleep(max(0.0, due - perf_counter()))
    return perf_counter() - due > LATE


async def ask(crowd: Crowd, job: Ask) -> Took:
    asking = await _asking(job.port, job.expect)
    events = [request for request in job.requests if NOW in request]
    crowd.timed, crowd.took = bool(events), []
    crowd.expect(job.times if events else 0)
    answers: list[float] = []
    late = 0
    began = perf_counter()
    for number, request in enumerate(islice(cycle(job.requests), job.times)):
        late += await _until(began + number / job.per_second)
        before = perf_counter_ns()
        await asking.ask(request.replace(NOW, f"{before:020}").encode())
        answers.append((perf_counter_ns() - before) / 1e6)
    if events:
        await crowd.wait()
    crowd.timed = False
    return Took(events=crowd.took, answers=answers, late=late)
