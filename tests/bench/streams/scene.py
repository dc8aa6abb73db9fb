"""Belfry and the baseline beside each other, each with its generator and the same number of streams."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import TypeVar

import msgspec

from db.queries import inbox
from tests.bench.client.processors import TICKS, Meter
from tests.bench.report import Figure
from tests.bench.stage import Served, Stage
from tests.bench.streams.crew import Generator, generator, memory_kb
from tests.bench.streams.generator.jobs import Answer, Close, Closed, Job, Look, Open, Opened, Seen, Standing
from tests.bench.streams.people import People

T = TypeVar("T", bound=Answer)
R = TypeVar("R")

Measured = tuple[list[Figure], dict[str, dict[str, float]]]
"""What a part of the benchmark found, and what that was made of."""

SETTLE = 1.0  # seconds after connecting, until what that left behind is done


class Spent(msgspec.Struct, frozen=True, kw_only=True):
    """Processor seconds of the server and its generator in a time; `others` is cores."""

    seconds: float
    server: float
    generator: float
    others: float


class Side:
    """A server that holds streams, and who reads them."""

    def __init__(self, server: Served, crew: Generator, people: People) -> None:
        self.server = server
        self.crew = crew
        self.people = people
        self.port = server.port

    async def open(self, *, checked: bool) -> tuple[Opened, float]:
        """Open all streams; also returns by how many KB a stream the server grew."""
        before = memory_kb(self.server.pid)
        job = Open(port=self.port, requests=self.people.requests, users=self.people.users, checked=checked)
        opened = await self.do(job, Opened)
        await asyncio.sleep(SETTLE)
        return opened, (memory_kb(self.server.pid) - before) / opened.streams

    async def do(self, job: Job, kind: type[T]) -> T:
        return await self.crew.do(job, kind)

    async def close(self) -> None:
        await self.do(Close(), Closed)

    async def seen(self) -> Seen:
        return await self.do(Look(), Seen)

    async def wrong_badges(self, stage: Stage) -> int:
        """How many streams do not stand where the database does, with its count; nothing may be under way."""
        standings = (await self.seen()).standings
        async with stage.database() as db, db.snapshot() as tx:
            at = await inbox.positions(tx, {each.user_id for each in standings})
        true = {user: Standing(user, each.modseq, each.broadcast_modseq, each.total) for user, each in at.items()}
        return sum(each != true[each.user_id] for each in standings)

    async def spent(self, work: Awaitable[R]) -> tuple[R, Spent]:
        """What some work costs. The time it takes is not that of the work alone: see `idle`."""
        meter = Meter({"server": self.server.pid, "generator": self.crew.pid}, us=os.getpid()).start()
        began = time.perf_counter()
        done = await work
        busy, seconds = meter.stop(), time.perf_counter() - began
        return done, Spent(
            seconds=seconds,
            server=busy["server"] * seconds,
            generator=busy["generator"] * seconds,
            others=busy["others"],
        )

    async def idle(self, seconds: float) -> float:
        """What it costs when nothing happens: processor seconds a second."""
        _, spent = await self.spent(asyncio.sleep(seconds))
        return spent.server / spent.seconds


@asynccontextmanager
async def side(
    stage: Stage, people: People, *module: str, settings: dict[str, str] | None = None
) -> AsyncIterator[Side]:
    async with (
        stage.serving(*module, **(settings or {})) as server,
        generator(stage, str(server.port)) as crew,
    ):
        yield Side(server, crew, people)


def per_event(spent: Spent, events: int, idle: float) -> float:
    """Microseconds of the server's processor an event, without what it costs to hold the streams.

    Less than the clock's one tick cannot be told from nothing.
    """
    return max(1 / TICKS, spent.server - idle * spent.seconds) / events * 1e6
