"""One message to everybody: how fast, at what cost, and what it does to requests in the same process."""

import asyncio
from itertools import chain
from statistics import median

import msgspec

from tests.bench.client.wire import request
from tests.bench.latency import quantile
from tests.bench.report import Figure, figure
from tests.bench.streams.crew import Generator
from tests.bench.streams.generator.jobs import Ask, Command, Fan, Fanned, Posts, Took
from tests.bench.streams.generator.publishing import TEXT
from tests.bench.streams.scene import Measured, Side, Spent, per_event

BURST = 10
LEAST_RATIO = 0.75
MOST_CPU = 10.0  # us an event
MOST_BASELINE_CPU = 12.0
MOST_BURST = 3.0  # single broadcasts
MOST_API = 3.0
BOUND = 0.15
TAIL_BOUND = 1.0


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """`times` broadcasts a round, or as many as make `events`, `apart` seconds from each other; `asked` requests beside
    them."""

    rounds: int = 3
    times: int = 20
    events: int = 40_000
    apart: float = 0.35
    bursts: int = 5
    bursts_apart: float = 1.0
    asked: int = 400
    per_second: float = 50.0


def post(side: Side) -> str:
    body = {"title": "Maintenance tonight", "content": TEXT, "channels": ["inbox"]}
    return request("POST", "/v1/broadcasts", token=side.people.sender, body=body)


async def measure(ours: Side, theirs: Side, redis_url: str, size: Size) -> Measured:
    size = msgspec.structs.replace(size, times=max(size.times, size.events // len(ours.people.users)))
    single = Posts(port=ours.port, request=post(ours))
    await ours.do(Fan(by=single, times=2, apart=size.apart), Fanned)  # the first is encoded, compiled, planned
    frame = (await ours.seen()).frame
    command = Command(redis_url=redis_url, frame=frame)
    await theirs.do(Fan(by=command, times=2, apart=size.apart), Fanned)

    one = Fan(by=single, times=size.times, apart=size.apart)
    bare = Fan(by=command, times=size.times, apart=size.apart)
    many = Fan(by=Posts(port=ours.port, request=post(ours), at_once=BURST), times=size.bursts, apart=size.bursts_apart)
    rounds = []
    for _ in range(size.rounds):
        seconds = size.times * size.apart
        idle = await ours.idle(seconds)
        rounds.append(
            Round(
                streams=len(ours.people.users),
                idle=idle,
                ours=await ours.spent(ours.do(one, Fanned)),
                theirs=await theirs.spent(theirs.do(bare, Fanned)),
                burst=await ours.spent(ours.do(many, Fanned)),
                size=size,
            )
        )
    return _figures(rounds), _details(rounds, len(frame))


class Round(msgspec.Struct, frozen=True, kw_only=True):
    streams: int
    idle: float
    ours: tuple[Fanned, Spent]
    theirs: tuple[Fanned, Spent]
    burst: tuple[Fanned, Spent]
    size: Size

    def rate(self, fanned: Fanned) -> float:
        return self.streams / median(fanned.spread)

    @property
    def cost(self) -> float:
        return per_event(self.ours[1], self.streams * self.size.times, self.idle)

    @property
    def baseline_cost(self) -> float:
        return per_event(self.theirs[1], self.streams * self.size.times, 0.0)

    @property
    def burst_cost(self) -> float:
        return per_event(self.burst[1], self.streams * self.size.bursts * BURST, self.idle)

    @property
    def burst_in_singles(self) -> float:
        return self.burst_cost * BURST / self.cost


def _figures(rounds: list[Round]) -> list[Figure]:
    others = max(spent.others for each in rounds for _, spent in (each.ours, each.theirs, each.burst))
    rates = [each.rate(each.ours[0]) for each in rounds]
    bare = [each.rate(each.theirs[0]) for each in rounds]
    ratios = [ours / theirs for ours, theirs in zip(rates, bare, strict=True)]
    costs = [each.baseline_cost for each in rounds]

    def of(name: str, unit: str, values: list[float], **target: float) -> Figure:
        return figure(name, unit, values, bound=BOUND, others=others, **target)

    baseline = of("baseline, CPU", "us/event", costs, most=MOST_BASELINE_CPU)
    ratio = of("broadcast : baseline, events/s", "", ratios, least=LEAST_RATIO)
    if not baseline.met:
        ratio = msgspec.structs.replace(
            ratio, noise=f"the baseline cost {baseline.value:.1f} us: this run does not count"
        )
    return [
        baseline,
        of("baseline", "events/s", bare),
        of("broadcast", "events/s", rates),
        ratio,
        of("broadcast, CPU", "us/event", [each.cost for each in rounds], most=MOST_CPU),
        of(f"broadcast, CPU when {BURST} come at once", "us/event", [each.burst_cost for each in rounds]),
        of(f"{BURST} broadcasts at once, CPU", "singles", [each.burst_in_singles for each in rounds], most=MOST_BURST),
    ]


def _details(rounds: list[Round], frame: int) -> dict[str, dict[str, float]]:
    def of(what: list[tuple[Fanned, Spent]]) -> dict[str, float]:
        return {
            "first to last (ms)": median(took * 1e3 for fanned, _ in what for took in fanned.spread),
            "published to last (ms)": median(took * 1e3 for fanned, _ in what for took in fanned.whole),
            "server (cores)": median(spent.server / spent.seconds for _, spent in what),
            "generator (cores)": median(spent.generator / spent.seconds for _, spent in what),
            "generator, within (cores)": median(spent.generator / sum(fanned.whole) for fanned, spent in what),
            "frame (bytes)": frame,
        }

    return {
        "broadcast": of([each.ours for each in rounds]),
        "baseline": of([each.theirs for each in rounds]),
        f"{BURST} at once": of([each.burst for each in rounds]),
        "idle": {"server (cores)": median(each.idle for each in rounds)},
    }


async def api(ours: Side, probe: Generator, size: Size) -> Measured:
    """What a request waits while broadcasts go out, against what it waits when none does."""
    token = ours.people.tokens[0]
    job = Ask(
        port=ours.port,
        requests=[request("GET", "/v1/notifications/unread-count", token=token)],
        expect=200,
        times=size.asked,
        per_second=size.per_second,
    )
    await probe.do(msgspec.structs.replace(job, times=max(5, size.asked // 10)), Took)
    times = max(2, int(size.asked / size.per_second / size.apart))
    fan = Fan(by=Posts(port=ours.port, request=post(ours)), times=times, apart=size.apart)
    quiet, busy = [], []
    for _ in range(size.rounds):
        quiet.append((await probe.do(job, Took)).answers)
        took, _ = await asyncio.gather(probe.do(job, Took), ours.do(fan, Fanned))
        busy.append(took.answers)
    ratios = [quantile(with_, 0.99) / quantile(without, 0.99) for with_, without in zip(busy, quiet, strict=True)]
    rows = {
        "unread-count, quiet": list(chain(*quiet)),
        "unread-count, while broadcasts go out": list(chain(*busy)),
    }
    return [figure("API p99, with broadcasts : without", "x", ratios, bound=TAIL_BOUND, most=MOST_API)], {
        name: {"p50 (ms)": quantile(ms, 0.5), "p99 (ms)": quantile(ms, 0.99)} for name, ms in rows.items()
    }
