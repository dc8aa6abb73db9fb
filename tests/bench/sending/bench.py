"""The parts of the benchmark, and the report made of them."""

import os

import msgspec

from tests.bench.report import Figure, Report
from tests.bench.sending import backlog, latency, rates
from tests.bench.stage import Stage

PARTS = ("rates", "latency", "backlog")


class Size(msgspec.Struct, frozen=True, kw_only=True):
    of_rates: rates.Size = rates.Size()
    of_latency: latency.Size = latency.Size()
    of_backlog: backlog.Size = backlog.Size()


QUICK = Size(
    of_rates=rates.Size(rounds=1, mails=1_000, tutorial=10, bare=2_000, raw=5_000),
    of_latency=latency.Size(
        posts=10, posts_per_second=20, broadcast=10_000, alone_seconds=1, personal=20, personal_per_second=40
    ),
    of_backlog=backlog.Size(many=20_000, repeats=5),
)


async def run(stage: Stage, part: str, size: Size) -> Report:
    for pid in stage.watched.values():  # PostgreSQL's children, started from here on, are where it is
        os.sched_setaffinity(pid, stage.cores.client)
    figures: list[Figure]
    match part:
        case "rates":
            figures = await rates.measure(stage, size.of_rates)
        case "latency":
            figures = await latency.measure(stage, size.of_latency)
        case _:
            figures = await backlog.measure(stage, size.of_backlog)
    return Report(
        benchmark=f"sending-{part}",
        title=f"Sending: {part}",
        figures=figures,
        details={},
        notes=["Workers have one core; the relay, PostgreSQL and Redis share the other."],
    )
