"""Latency: from just before the bytes of a POST are written until its events are read on an open stream."""

from statistics import median

import msgspec

from db.models import Role
from tests.bench.client.paced import Arrived, Paced
from tests.bench.client.wire import request
from tests.bench.report import Report, figure
from tests.bench.stage import Stage

BOUND = 0.25  # between the medians of rounds
TAIL_BOUND = 1.0  # between their 99th percentiles: two posts of two hundred decide


class Size(msgspec.Struct, frozen=True, kw_only=True):
    rounds: int = 5
    posts: int = 200
    warm_up: int = 20
    per_second: float = 50.0


FULL = Size()
QUICK = Size(rounds=2, posts=25, warm_up=5)


async def run(stage: Stage, size: Size) -> Report:
    async with stage.database() as db:
        user = await stage.user(db, "reader@example.com", Role.SENDER)
    task = stage.progress.add_task("latency: posting, and waiting for the events", total=size.rounds)
    rounds: list[Arrived] = []
    async with stage.serving() as web:
        job = Paced(
            port=web.port,
            stream=request("GET", "/v1/stream", token=user.token),
            post=request("POST", "/v1/notifications", token=user.token, body={"title": "Build passed"}),
            posts=size.posts,
            warm_up=size.warm_up,
            per_second=size.per_second,
        )
        for _ in range(size.rounds):
            rounds.append(await stage.ask(job, Arrived))
            stage.progress.advance(task)
    events = {
        "notification": [each.notification_ms for each in rounds],
        "count": [each.count_ms for each in rounds],
    }
    late = sum(each.late for each in rounds)
    return Report(
        benchmark="latency",
        title=f"From POST to stream: {size.rounds * size.posts:,} posts, {size.per_second:g}/s, one stream open",
        figures=[
            figure(f"{name} event, {at}", "ms", [quantile(each, part) for each in ms], bound=bound)
            for name, ms in events.items()
            for at, part, bound in (("p50", 0.5, BOUND), ("p99", 0.99, TAIL_BOUND))
        ],
        details={
            f"{name} event, all rounds": {
                "min (ms)": min(map(min, ms)),
                "p50 (ms)": median([took for each in ms for took in each]),
                "p99 (ms)": quantile([took for each in ms for took in each], 0.99),
                "max (ms)": max(map(max, ms)),
            }
            for name, ms in events.items()
        },
        notes=[f"{late} posts were written more than 5 ms after their time."],
    )


def quantile(values: list[float], part: float) -> float:
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * part))]
