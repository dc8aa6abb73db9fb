"""How many mails a second a worker sends, beside a tutorial's worker and a client that does nothing else."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from statistics import median

import msgspec
from redis.asyncio import Redis
from sqlalchemy import text

from db import Database
from tests.bench.report import Figure, figure
from tests.bench.sending import crew, mails
from tests.bench.sending.crew import Sink
from tests.bench.sending.tutorial import LIST
from tests.bench.stage import Stage

PEOPLE = 1_000
SIZE = 5_400  # bytes of a mail, as ours are
BOUND = 0.25  # between rounds
NETWORK_MS = 5.0  # for each reply
FAR_MS = 20.0  # with this two workers have nothing to share but the database
LEAST_PER_SECOND = 1_000
LEAST_OF_TUTORIAL = 15
LEAST_OF_BARE = 0.2
LEAST_OF_TWO = 1.5
SAMPLE_SECONDS = 0.02

CLAIMING = text("""
SELECT count(*) FROM pg_stat_activity
WHERE state = 'active' AND query LIKE '%SKIP LOCKED%claimed%' AND pid <> pg_backend_pid()
""")


class Size(msgspec.Struct, frozen=True, kw_only=True):
    rounds: int = 3
    mails: int = 10_000
    tutorial: int = 100
    bare: int = 20_000
    raw: int = 100_000


class Samples:
    """How often a claim was running when we looked."""

    def __init__(self) -> None:
        self.taken = self.claiming = 0

    @property
    def share(self) -> float:
        return self.claiming / max(self.taken, 1)


@asynccontextmanager
async def sampled(db: Database) -> AsyncIterator[Samples]:
    samples = Samples()

    async def sample() -> None:
        async with db.statement() as tx:
            while True:
                samples.claiming += int(await tx.scalar(CLAIMING) or 0)
                samples.taken += 1
                await asyncio.sleep(SAMPLE_SECONDS)

    sampling = asyncio.create_task(sample())
    try:
        yield samples
    finally:
        sampling.cancel()
        await asyncio.gather(sampling, return_exceptions=True)


async def measure(stage: Stage, size: Size) -> list[Figure]:
    async with stage.database() as db, AsyncExitStack() as stack:
        people = await mails.people(db, PEOPLE)
        near, away, far = [await stack.enter_async_context(crew.sink(stage, ms)) for ms in (0, NETWORK_MS, FAR_MS)]
        task = stage.progress.add_task("rates", total=size.rounds * 6)

        async def ours(sink: Sink, what: str, *, workers: int = 1) -> tuple[float, float]:
            stage.progress.update(task, description=f"rates: {what}", advance=1)
            count = size.mails // 2 if sink is far else size.mails
            return await _through_the_queue(stage, db, sink, people, count, workers)

        found: dict[str, list[float]] = {}
        for _ in range(size.rounds):
            tutorial = await _tutorial(stage, away, size.tutorial)
            stage.progress.update(task, description="rates: the tutorial, the bare client, raw bytes", advance=1)
            bare = await crew.without_a_queue(stage, "bare", near, size.bare, SIZE)
            raw = await crew.without_a_queue(stage, "raw", near, size.raw, SIZE)
            at_once, _ = await ours(near, "a relay that answers at once")
            network, claims = await ours(away, f"a relay that takes {NETWORK_MS:g} ms")
            one, _ = await ours(far, f"a relay that takes {FAR_MS:g} ms")
            two, claims_of_two = await ours(far, "the same, two workers", workers=2)
            for name, value in {
                "tutorial": tutorial, "bare": bare, "raw": raw, "at once": at_once, "network": network,
                "one": one, "two": two, "claims": claims, "claims of two": claims_of_two,
            }.items():  # fmt: skip
                found.setdefault(name, []).append(value)
    return _figures(found)


def _figures(found: dict[str, list[float]]) -> list[Figure]:
    def per_second(name: str, of: str, least: float | None = None) -> Figure:
        return figure(name, "mails/s", found[of], bound=BOUND, least=least)

    def ratio(name: str, of: str, to: str, least: float) -> Figure:
        rounds = [mine / theirs for mine, theirs in zip(found[of], found[to], strict=True)]
        return figure(name, "x", rounds, bound=BOUND, least=least)

    def share(name: str, of: str) -> Figure:
        return Figure(name=name, unit="%", value=median(found[of]) * 100, rounds=[each * 100 for each in found[of]])

    network, far = f"{NETWORK_MS:g} ms", f"{FAR_MS:g} ms"
    return [
        per_second(f"a worker, {network}", "network", LEAST_PER_SECOND),
        per_second(f"a tutorial's worker, {network}", "tutorial"),
        ratio(f"worker : tutorial, {network}", "network", "tutorial", LEAST_OF_TUTORIAL),
        share(f"of the time a claim runs, {network}", "claims"),
        per_second("a worker, 0 ms", "at once"),
        per_second("a bare client, 0 ms", "bare"),
        ratio("worker : bare client, 0 ms", "at once", "bare", LEAST_OF_BARE),
        per_second("raw bytes over sockets, 0 ms", "raw"),
        per_second(f"a worker, {far}", "one"),
        per_second(f"two workers, {far}", "two"),
        ratio(f"two workers : one, {far}", "two", "one", LEAST_OF_TWO),
        share(f"of the time a claim runs, two workers, {far}", "claims of two"),
    ]


async def _tutorial(stage: Stage, sink: Sink, count: int) -> float:
    mail = json.dumps({"to": "ada@example.com", "title": "Build passed", "content": mails.TEXT * 8})
    redis = Redis.from_url(stage.settings.redis_url)
    try:
        await redis.rpush(LIST, *[mail] * count)
    finally:
        await redis.aclose()
    return await crew.tutorial(stage, sink, count)


async def _through_the_queue(
    stage: Stage, db: Database, sink: Sink, people: list[int], count: int, workers: int
) -> tuple[float, float]:
    """Mails a second, and the part of the time in which a claim ran. The first tenth is for warming up."""
    await mails.forget(db)
    await mails.personal(db, people, count)
    await mails.tidied(db)
    before = await sink.seen()
    async with AsyncExitStack() as stack:
        for _ in range(workers):
            await stack.enter_async_context(crew.worker(stage, sink))
        began = await sink.until(before + count // 10)
        first = await sink.seen()
        async with sampled(db) as samples:
            ended = await sink.until(before + count)
    return (before + count - first) / (ended - began), samples.share
