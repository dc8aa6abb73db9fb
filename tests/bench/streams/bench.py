"""The parts of the benchmark in their order, and the report made of them."""

import os
from collections.abc import Callable

import msgspec
from rich.console import Console

from tests.bench.report import Figure, Report
from tests.bench.stage import Stage
from tests.bench.streams import broadcasts, holding, people, personal, storm
from tests.bench.streams.crew import generator
from tests.bench.streams.holding import Memory
from tests.bench.streams.people import People
from tests.bench.streams.scene import Measured, Side, side

BARE = "tests.bench.streams.bare"
# Messages published straight to Redis have no rows: looking at the positions would find, and repair, that.
NO_CHECK = {"position_check_seconds": "3600"}


class Size(msgspec.Struct, frozen=True, kw_only=True):
    streams: list[int]
    of_broadcasts: broadcasts.Size = broadcasts.Size()
    of_personal: personal.Size = personal.Size()
    of_holding: holding.Size = holding.Size()
    of_storm: storm.Size = storm.Size()


def quick(streams: list[int]) -> Size:
    return Size(
        streams=streams,
        of_broadcasts=broadcasts.Size(
            rounds=2, times=4, events=0, apart=0.1, bursts=2, bursts_apart=0.1, asked=10, per_second=50
        ),
        of_personal=personal.Size(rounds=2, flood=400, drip=40, posts=10),
        of_holding=holding.Size(rounds=1, streams=20, churn_seconds=0.5),
        of_storm=storm.Size(rounds=1, asked=50),
    )


class _Found:
    """What was found so far; each part is said as soon as it is known, for the whole takes minutes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.figures: list[Figure] = []
        self.details: dict[str, dict[str, float]] = {}
        self.violations = self.wrong_badges = 0

    def add(self, measured: Measured, streams: int | None = None) -> None:
        figures, details = measured
        of = "" if streams is None else f"{streams:,}: "
        named = [msgspec.structs.replace(each, name=of + each.name) for each in figures]
        for each in named:
            self._console.print(f"[dim]{each.name}: {each.value:,.4g} {each.unit}")
        self.figures += named
        self.details |= {of + name: row for name, row in details.items()}

    async def look(self, ours: Side, after: str) -> None:
        """Count what went wrong so far on these streams."""
        seen = await ours.seen()
        self.violations += seen.violations + seen.lost
        self.details |= {after: {"events": seen.events, "wrong numbers": seen.violations, "streams ended": seen.lost}}

    def values(self, name: str) -> list[float]:
        return [each.value for each in self.figures if each.name.endswith(f": {name}")]


async def run(stage: Stage, size: Size) -> tuple[Report, Memory]:
    for pid in stage.watched.values():  # PostgreSQL's children, started from here on, are where it is
        os.sched_setaffinity(pid, stage.cores.client)
    everybody = await people.make(stage, max(*size.streams, size.of_holding.streams))
    task = stage.progress.add_task("streams", total=6 * len(size.streams) + 3)

    def step(what: str) -> None:
        stage.progress.update(task, description=f"streams: {what}", advance=1)

    found = _Found(stage.progress.console)
    for streams in size.streams:
        await _with(stage, everybody.first(streams), size, found, step)
    if len(size.streams) > 1:
        costs, bare = found.values(personal.COST), found.values(personal.BARE_COST)
        found.add((personal.growth(size.streams, costs, bare), {}))
    step("connecting")
    found.add(await holding.connecting(stage, everybody, size.of_holding))
    step("churn")
    figures, memory, churned = await holding.churning(stage, everybody, size.of_holding)
    found.add((figures, {"churn": {"streams": churned}}))
    step("storm")
    measured, wrong = await storm.measure(stage, everybody.first(size.streams[-1]), size.of_storm)
    found.add(measured, size.streams[-1])
    found.violations += wrong
    figures = [
        _none("numbers that came twice, late or never", found.violations),
        _none("badges that are not the database's", found.wrong_badges),
        *found.figures,
    ]
    return Report(
        benchmark="streams",
        title="Streams: one web process with everything switched on, beside a bare loop over as many sockets",
        figures=figures,
        details=found.details,
        notes=["Personal messages were published straight to Redis, so the check of positions was off for them."],
    ), memory


async def run_storm(stage: Stage, size: Size) -> Report:
    """Only what comes last in `run`: with as many streams as there are at most."""
    for pid in stage.watched.values():
        os.sched_setaffinity(pid, stage.cores.client)
    found = _Found(stage.progress.console)
    measured, wrong = await storm.measure(stage, await people.make(stage, size.streams[-1]), size.of_storm)
    found.add(measured, size.streams[-1])
    return Report(
        benchmark="storm",
        title="Storm: a web process is killed and started again, and all its streams come back at the same moment",
        figures=[_none("numbers that came twice, late or never", wrong), *found.figures],
        details=found.details,
        notes=[],
    )


def _none(name: str, count: int) -> Figure:
    return Figure(name=name, unit="", value=count, rounds=[count], target="= 0", met=count == 0)


async def _with(stage: Stage, people: People, size: Size, found: _Found, step: Callable[[str], None]) -> None:
    """Everything that is measured with one number of streams."""
    streams, url = len(people.users), stage.settings.pubsub_url
    async with side(stage, people, BARE) as theirs, generator(stage, "probe") as probe:
        step(f"opening {streams:,}")
        await theirs.open(checked=False)
        async with side(stage, people) as ours:
            _, grown = await ours.open(checked=True)
            found.add(([holding.memory(grown)], {}), streams)
            step(f"broadcasts to {streams:,}")
            found.add(await broadcasts.measure(ours, theirs, url, size.of_broadcasts), streams)
            step(f"requests beside broadcasts to {streams:,}")
            found.add(await broadcasts.api(ours, probe, size.of_broadcasts), streams)
            step(f"from POST to one of {streams:,}")
            found.add(await personal.posted(ours, size.of_personal), streams)
            await found.look(ours, f"{streams:,}: with rows")
            found.wrong_badges += await ours.wrong_badges(stage)
        async with side(stage, people, settings=NO_CHECK) as ours:
            step(f"personal messages to {streams:,}")
            await ours.open(checked=True)
            found.add(await personal.throughput(ours, theirs, url, size.of_personal), streams)
            step(f"paced messages to {streams:,}")
            found.add(await personal.paced(ours, theirs, url, size.of_personal), streams)
            await found.look(ours, f"{streams:,}: straight to Redis")
