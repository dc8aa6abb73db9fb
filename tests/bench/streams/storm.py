"""A web process dies with all its streams and is started again, and all clients come back at the same moment."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from tests import rows
from tests.bench.client.wire import request
from tests.bench.latency import quantile
from tests.bench.machine import pin
from tests.bench.report import Figure, figure
from tests.bench.stage import Served, Stage
from tests.bench.streams.broadcasts import post
from tests.bench.streams.crew import generator
from tests.bench.streams.generator.jobs import Ask, Fan, Fanned, Posts, Return, Returned, Took
from tests.bench.streams.people import People
from tests.bench.streams.scene import Measured, Side
from tests.processes import Web, web

MOST_SECONDS = 30.0
MOST_API_MS = 1_000.0
BOUND = 0.5
TAIL_BOUND = 1.0
HEAD_START = 0.2  # seconds; a connection of its own would wait in the kernel's queue, behind the others


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """`missed` broadcasts are made while nobody is connected; `asked` requests should last as long as the storm."""

    rounds: int = 3
    missed: int = 2
    asked: int = 300
    per_second: float = 50.0


async def measure(stage: Stage, people: People, size: Size) -> tuple[Measured, int]:
    """Also returns how many numbers came twice, late or never, and how many streams ended by themselves."""
    seconds, answers, back, down = [], [], [], []
    async with _in_the_open(stage, people) as (process, side), generator(stage, "probe") as probe:
        await side.open(checked=True)
        told = Fan(by=Posts(port=process.port, request=post(side)), times=1, apart=0.0)
        for _ in range(size.rounds):
            down.append(await _die(stage, process, missed=size.missed))
            asking = asyncio.ensure_future(probe.do(_ask(people, process.port, size), Took))
            await asyncio.sleep(HEAD_START)
            returned = await side.do(Return(port=process.port), Returned)
            answers.append((await asking).answers)
            seconds.append(returned.seconds)
            back += returned.took
            await side.do(told, Fanned)  # fails unless all of them hear of it
        seen = await side.seen()
    p99 = [quantile(each, 0.99) for each in answers]
    figures: list[Figure] = [
        figure("storm, all back", "s", seconds, bound=BOUND, most=MOST_SECONDS),
        figure("storm, API p99", "ms", p99, bound=TAIL_BOUND, most=MOST_API_MS),
    ]
    every = [ms for each in answers for ms in each]
    details = {
        "storm, until a stream is back": {"p50 (ms)": quantile(back, 0.5), "p99 (ms)": quantile(back, 0.99)},
        "storm, requests meanwhile": {
            "p50 (ms)": quantile(every, 0.5),
            "p99 (ms)": quantile(every, 0.99),
            "slowest (ms)": max(every),
            "requests": len(every),
        },
        "storm, from the death to the first answer": {"slowest (ms)": max(down) * 1e3},
    }
    return (figures, details), seen.violations + seen.lost


@asynccontextmanager
async def _in_the_open(stage: Stage, people: People) -> AsyncIterator[tuple[Web, Side]]:
    """A web process that nobody starts again but we, on a port that nobody listens on meanwhile."""
    with (stage.directory / "storm.log").open("wb") as log:
        async with web(stage.settings, stderr=log) as process, generator(stage, "storm") as crew:
            pin(process.pid, stage.cores.server)
            yield process, Side(Served(process.port, process.pid), crew, people)


async def _die(stage: Stage, process: Web, *, missed: int) -> float:
    """Kill the process and start it again; seconds until it answers."""
    began = time.perf_counter()
    await process.end(signal.SIGKILL)
    async with stage.database() as db:
        for _ in range(missed):
            await rows.broadcast(db)
    await process.start()
    pin(process.pid, stage.cores.server)
    return time.perf_counter() - began


def _ask(people: People, port: int, size: Size) -> Ask:
    """Requests on one connection, at a steady pace, which begins before the storm does."""
    paths = ["/v1/notifications/unread-count", "/v1/notifications?page_size=20"]
    return Ask(
        port=port,
        requests=[request("GET", path, token=people.tokens[0]) for path in paths],
        expect=200,
        times=size.asked,
        per_second=size.per_second,
    )
