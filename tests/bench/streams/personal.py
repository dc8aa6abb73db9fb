"""Messages for one user each, from Redis - and from a request - to the user's stream."""

from statistics import median

import msgspec

from tests.bench.client.wire import request
from tests.bench.latency import quantile
from tests.bench.report import Figure, figure
from tests.bench.streams.generator.jobs import NOW, Ask, Drip, Flood, Flooded, Took
from tests.bench.streams.generator.publishing import TEXT
from tests.bench.streams.scene import Measured, Side, Spent, per_event

LEAST_PER_SECOND = 25_000
MOST_LATENCY = 3.0  # of the baseline's
MOST_GROWTH = 1.2  # of the baseline's
MOST_P50 = 8.0
MOST_P99 = 25.0
COST = "personal, CPU"
BARE_COST = "baseline, personal, CPU"
BOUND = 0.15
TAIL_BOUND = 1.0


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """`flood` messages as fast as they go, `drip` at a pace, `posts` by requests."""

    rounds: int = 3
    flood: int = 50_000
    drip: int = 2_500
    drip_per_second: float = 500.0
    posts: int = 400
    posts_per_second: float = 50.0


async def throughput(ours: Side, theirs: Side, redis_url: str, size: Size) -> Measured:
    rounds: list[tuple[Flooded, Spent]] = []
    bare: list[tuple[Flooded, Spent]] = []
    for side, found in ((ours, rounds), (theirs, bare)):
        job = Flood(redis_url=redis_url, bare=side is theirs, messages=size.flood)
        await side.do(msgspec.structs.replace(job, messages=max(1, size.flood // 10)), Flooded)
        for _ in range(size.rounds):
            found.append(await side.spent(side.do(job, Flooded)))
    others = max(spent.others for _, spent in rounds + bare)
    rates = [size.flood / flooded.seconds for flooded, _ in rounds]
    costs, bare_costs = ([per_event(spent, size.flood, 0.0) for _, spent in found] for found in (rounds, bare))
    return [
        figure("personal", "messages/s", rates, bound=BOUND, others=others, least=LEAST_PER_SECOND),
        figure(COST, "us/message", costs, bound=BOUND, others=others),
        figure(BARE_COST, "us/message", bare_costs, bound=BOUND, others=others),
    ], {
        "personal": {
            "server (cores)": median(spent.server / flooded.seconds for flooded, spent in rounds),
            "generator (cores)": median(spent.generator / spent.seconds for _, spent in rounds),
        }
    }


def growth(streams: list[int], costs: list[float], bare: list[float]) -> list[Figure]:
    """How much more a message costs with the most streams than with the fewest.

    A socket of many has left the processor's caches when its turn comes, the kernel's part of it and ours. The baseline
    tells how much of the growth that is.
    """
    ours, theirs = costs[-1] / costs[0], bare[-1] / bare[0]
    name = f"{streams[-1]:,} : {streams[0]:,} streams"
    return [
        figure(f"{COST}, {name}", "x", [ours], bound=BOUND),
        figure(f"{BARE_COST}, {name}", "x", [theirs], bound=BOUND),
        figure(f"{COST}, {name}, of the baseline's", "x", [ours / theirs], bound=BOUND, most=MOST_GROWTH),
    ]


async def paced(ours: Side, theirs: Side, redis_url: str, size: Size) -> Measured:
    def job(bare: bool) -> Drip:
        return Drip(redis_url=redis_url, bare=bare, messages=size.drip, per_second=size.drip_per_second)

    belfry, bare = [], []
    for _ in range(size.rounds):
        belfry.append(await ours.do(job(False), Took))
        bare.append(await theirs.do(job(True), Took))
    tails = [[quantile(took.events, 0.99) for took in rounds] for rounds in (belfry, bare)]
    ratios = [mine / its for mine, its in zip(*tails, strict=True)]
    pace = f"{size.drip_per_second:g}/s"
    return [
        figure(f"Redis to stream, p99 at {pace}", "ms", tails[0], bound=TAIL_BOUND),
        figure(f"baseline, p99 at {pace}", "ms", tails[1], bound=TAIL_BOUND),
        figure(f"Redis to stream : baseline, p99 at {pace}", "x", ratios, bound=TAIL_BOUND, most=MOST_LATENCY),
    ], {"Redis to stream": _summary(belfry), "baseline, Redis to stream": _summary(bare)}


async def posted(ours: Side, size: Size) -> Measured:
    """From just before `POST /v1/notifications` is written until the event is read, with all streams open."""
    users, count = ours.people.users, min(len(ours.people.users), size.posts)
    requests = [
        request(
            "POST",
            "/v1/notifications",
            token=ours.people.sender,
            body={"to": users[at * len(users) // count], "title": f"t={NOW}", "content": TEXT},
        )
        for at in range(count)
    ]
    job = Ask(port=ours.port, requests=requests, expect=202, times=size.posts, per_second=size.posts_per_second)
    await ours.do(msgspec.structs.replace(job, times=max(5, size.posts // 10)), Took)
    rounds = [await ours.do(job, Took) for _ in range(size.rounds)]
    return [
        figure("POST to stream, p50", "ms", [quantile(took.events, 0.5) for took in rounds], bound=0.25, most=MOST_P50),
        figure(
            "POST to stream, p99",
            "ms",
            [quantile(took.events, 0.99) for took in rounds],
            bound=TAIL_BOUND,
            most=MOST_P99,
        ),
    ], {"POST to stream": _summary(rounds)}


def _summary(rounds: list[Took]) -> dict[str, float]:
    ms = [each for took in rounds for each in took.events]
    late = sum(took.late for took in rounds)
    return {"p50 (ms)": quantile(ms, 0.5), "p99 (ms)": quantile(ms, 0.99), "max (ms)": max(ms), "sent late": late}
