"""From POST to the relay's 250: on an idle system, and past a broadcast that is being sent."""

import asyncio
from collections.abc import Sequence
from time import monotonic

import httpx
import msgspec
from sqlalchemy import text

from db import Database
from db.models import Role
from tasks.context import open_context
from tasks.expand import expand
from tests.bench.latency import quantile
from tests.bench.report import Figure, figure
from tests.bench.sending import crew, mails
from tests.bench.sending.crew import Sink
from tests.bench.stage import Stage
from tests.bench.streams.crew import memory_kb

BOUND = 0.3
NETWORK_MS = 5.0
MOST_IDLE_MS = 80
MOST_PAST_BROADCAST_MS = 2_000
LEAST_OF_BROADCAST = 0.8
MOST_MEMORY = 1.1
EXPANDED = text("SELECT expanded FROM expansions WHERE notification_id = :id")


class Size(msgspec.Struct, frozen=True, kw_only=True):
    posts: int = 60
    posts_per_second: float = 5.0
    broadcast: int = 100_000
    alone_seconds: float = 10.0
    personal: int = 200
    personal_per_second: float = 20.0


class Sender:
    """Posts notifications at a pace, each to another person, whose mails the sink times."""

    def __init__(self, client: httpx.AsyncClient, name: str, people: Sequence[int]) -> None:
        self._client = client
        self._people = {f"{name}{n}@example.com": user_id for n, user_id in enumerate(people)}

    async def post(self, sink: Sink, per_second: float) -> list[float]:
        """Milliseconds from each POST until the relay said 250."""
        posted = {}
        for address, user_id in self._people.items():
            due = asyncio.create_task(asyncio.sleep(1 / per_second))
            posted[address] = monotonic()
            body = {"to": user_id, "title": "Build passed", "content": mails.TEXT}
            (await self._client.post("/v1/notifications", json=body)).raise_for_status()
            await due
        async with asyncio.timeout(60):
            while not posted.keys() <= (times := await sink.times()).keys():  # noqa: ASYNC110  # it is another process
                await asyncio.sleep(crew.GLANCE)
        return [(times[address] - at) * 1e3 for address, at in posted.items()]


async def measure(stage: Stage, size: Size) -> list[Figure]:
    task = stage.progress.add_task("latency: idle", total=4)

    def step(what: str) -> None:
        stage.progress.update(task, description=f"latency: {what}", advance=1)

    async with (
        stage.database() as db,
        crew.sink(stage, NETWORK_MS) as sink,
        stage.serving() as web,
        crew.worker(stage, sink) as pid,
    ):
        user = await stage.user(db, "sender@example.com", Role.SENDER)
        headers = {"authorization": f"Bearer {user.token}"}
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{web.port}", headers=headers) as client:
            warm_up = await mails.people(db, 1, name="timed-first-")
            await Sender(client, "timed-first-", warm_up).post(sink, size.posts_per_second)
            people = await mails.people(db, size.posts, name="timed-idle-")
            idle = await Sender(client, "timed-idle-", people).post(sink, size.posts_per_second)
            step("making a broadcast")
            before = await sink.seen()
            audience = await _queue_broadcast(stage, db, size.broadcast)
            people = await mails.people(db, size.personal, name="timed-past-")  # too late for the broadcast
            step("the broadcast alone")
            await sink.until(before + audience // 10)
            early = memory_kb(pid)
            alone = Pace(await sink.seen(), monotonic())
            await asyncio.sleep(size.alone_seconds)
            rate_alone = alone.until(await sink.seen())
            step("personal mails past it")
            beside = Pace(await sink.seen(), monotonic())
            past = await Sender(client, "timed-past-", people).post(sink, size.personal_per_second)
            seen = await sink.seen()
            rate_beside = beside.until(seen - size.personal)
            left = before + audience + size.personal - seen
            step("the rest of the broadcast")
            await sink.until(before + audience + size.personal)
            late = memory_kb(pid)
    assert left > 0, "the broadcast was over before the personal mails were"
    return [
        figure("POST to 250, idle, p50", "ms", [quantile(idle, 0.5)], bound=BOUND, most=MOST_IDLE_MS),
        figure("POST to 250, idle, p99", "ms", [quantile(idle, 0.99)], bound=BOUND),
        figure("a broadcast alone", "mails/s", [rate_alone], bound=BOUND),
        figure("personal mail past it, p50", "ms", [quantile(past, 0.5)], bound=BOUND),
        figure("personal mail past it, p99", "ms", [quantile(past, 0.99)], bound=BOUND, most=MOST_PAST_BROADCAST_MS),
        figure(
            "the broadcast meanwhile : alone", "x", [rate_beside / rate_alone], bound=BOUND, least=LEAST_OF_BROADCAST
        ),
        figure(
            f"memory after {size.broadcast:,} mails : after {size.broadcast // 10:,}",
            "x", [late / early], bound=BOUND, most=MOST_MEMORY,
        ),
        figure("memory of the worker", "MB", [late / 1e3], bound=BOUND),
    ]  # fmt: skip


class Pace(msgspec.Struct, frozen=True):
    """How many mails there were at a moment."""

    mails: int
    at: float

    def until(self, mails: int) -> float:
        """Mails a second between then and now."""
        return (mails - self.mails) / (monotonic() - self.at)


async def _queue_broadcast(stage: Stage, db: Database, count: int) -> int:
    """Make people and create the e-mails of a broadcast to them; how many. The worker begins with the first."""
    await mails.people(db, count)
    notification = await mails.broadcast(db)
    async with open_context(stage.settings) as context:
        await expand(context, notification)
    async with db.statement() as tx:
        return int(await tx.scalar(EXPANDED, {"id": notification}) or 0)
