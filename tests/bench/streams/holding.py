"""Opening streams, and what it costs to hold them and to let them go."""

import asyncio
from statistics import median

import msgspec

from tests.bench.report import Figure, figure
from tests.bench.stage import Stage
from tests.bench.streams.crew import memory_kb
from tests.bench.streams.generator.jobs import Churn, Churned
from tests.bench.streams.people import People
from tests.bench.streams.scene import Measured, side

LEAST_RATIO = 0.6
MOST_GROWTH = 1.1
BOUND = 0.15
SAMPLES = 60


class Size(msgspec.Struct, frozen=True, kw_only=True):
    rounds: int = 7
    streams: int = 2_000
    churn_seconds: float = 20.0


async def connecting(stage: Stage, people: People, size: Size) -> Measured:
    """Opening streams on Belfry and on the same without authentication and position, by turns."""
    some = people.first(size.streams)
    rates: dict[str, list[float]] = {"checked": [], "unchecked": []}
    busy: dict[str, list[float]] = {"checked": [], "unchecked": []}
    async with (
        side(stage, some) as checked,
        side(stage, some, "tests.bench.streams.unchecked") as unchecked,
    ):
        for number in range(size.rounds + 1):
            for name, each in (("checked", checked), ("unchecked", unchecked)):
                (opened, _), spent = await each.spent(each.open(checked=False))
                await each.close()
                if number:  # the first is a warm-up
                    rates[name].append(opened.streams / opened.seconds)
                    busy[name].append(spent.server / opened.seconds)
    ratios = [ours / theirs for ours, theirs in zip(*rates.values(), strict=True)]
    return [
        figure("connecting", "streams/s", rates["checked"], bound=BOUND),
        figure("connecting, nothing asked", "streams/s", rates["unchecked"], bound=BOUND),
        figure("connecting : nothing asked", "", ratios, bound=BOUND, least=LEAST_RATIO),
    ], {f"connecting, {name}": {"server (cores)": median(each)} for name, each in busy.items()}


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """RSS in MB over time, in seconds."""

    seconds: list[float]
    mb: list[float]


async def churning(stage: Stage, people: People, size: Size) -> tuple[list[Figure], Memory, int]:
    """Streams that come, read and vanish, and what is left of them."""
    seconds, mb = [], []
    async with side(stage, people) as ours:
        job = Churn(port=ours.port, requests=people.requests, seconds=size.churn_seconds)
        churning = asyncio.ensure_future(ours.do(job, Churned))
        for number in range(SAMPLES + 1):
            seconds.append(number * size.churn_seconds / SAMPLES)
            mb.append(memory_kb(ours.server.pid) / 1024)
            await asyncio.wait([churning], timeout=size.churn_seconds / SAMPLES)
        churned = await churning
    growth = mb[-1] / mb[len(mb) // 5]
    minutes = size.churn_seconds / 60
    name = f"memory after {minutes:.2g} min of churn : at a fifth"
    return (
        [figure(name, "x", [growth], bound=BOUND, most=MOST_GROWTH)],
        Memory(seconds=seconds, mb=mb),
        churned.streams,
    )


def memory(kb_per_stream: float) -> Figure:
    return figure("memory", "KB/stream", [kb_per_stream], bound=BOUND, most=16)
