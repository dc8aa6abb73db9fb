"""The benchmark of the send queue runs and says what it should; how fast it was is not asked here."""

from pathlib import Path

import pytest
from rich.progress import Progress

from belfry.settings import Settings
from db import Database
from tests.bench.sending import backlog, bench, latency, rates
from tests.bench.sending.bench import Size
from tests.bench.stage import Stage

SMALL = Size(
    of_rates=rates.Size(rounds=1, mails=200, tutorial=3, bare=100, raw=100),
    of_latency=latency.Size(
        posts=3, posts_per_second=50, broadcast=2_000, alone_seconds=0.05, personal=3, personal_per_second=100
    ),
    of_backlog=backlog.Size(few=200, many=6_000, repeats=2),
)

pytestmark = pytest.mark.slow
JUDGED = {
    "rates": [
        "a worker, 5 ms",
        "worker : tutorial, 5 ms",
        "worker : bare client, 0 ms",
        "two workers : one, 20 ms",
    ],
    "latency": [
        "POST to 250, idle, p50",
        "personal mail past it, p99",
        "the broadcast meanwhile : alone",
        "memory after 2,000 mails : after 200",
    ],
    "backlog": ["a claim, 6,000 : 200", "a sweep, 6,000 : 200"],
}


@pytest.mark.parametrize("part", bench.PARTS)
async def test_each_part_judges_what_was_promised(part: str, settings: Settings, db: Database, tmp_path: Path) -> None:
    report = await bench.run(Stage(settings, {}, Progress(disable=True), tmp_path), part, SMALL)

    assert [each.name for each in report.figures if each.target] == JUDGED[part]
