"""The benchmark of streams runs and says what it should; how fast it was is not asked here."""

from pathlib import Path
from xml.etree import ElementTree

import pytest
from rich.progress import Progress

from belfry.settings import Settings
from db import Database
from tests.bench.report import figure
from tests.bench.stage import Stage
from tests.bench.streams import bench, broadcasts, holding, personal, storm
from tests.bench.streams.bench import Size
from tests.bench.streams.holding import Memory
from tests.bench.streams.plot import svg

SMALL = Size(
    streams=[8],
    of_broadcasts=broadcasts.Size(
        rounds=1, times=2, events=0, apart=0.02, bursts=1, bursts_apart=0.02, asked=6, per_second=100
    ),
    of_personal=personal.Size(rounds=1, flood=40, drip=10, posts=6, posts_per_second=100),
    of_holding=holding.Size(rounds=1, streams=4, churn_seconds=0.2),
    of_storm=storm.Size(rounds=1, missed=1, asked=20),
)

pytestmark = pytest.mark.slow
JUDGED = [
    "numbers that came twice, late or never",
    "badges that are not the database's",
    "8: memory",
    "8: baseline, CPU",
    "8: broadcast : baseline, events/s",
    "8: broadcast, CPU",
    "8: 10 broadcasts at once, CPU",
    "8: API p99, with broadcasts : without",
    "8: POST to stream, p50",
    "8: POST to stream, p99",
    "8: personal",
    "8: Redis to stream : baseline, p99 at 500/s",
    "connecting : nothing asked",
    "memory after 0.0033 min of churn : at a fifth",
    "8: storm, all back",
    "8: storm, API p99",
]


async def test_the_benchmark_judges_what_was_promised_and_every_stream_saw_every_number(
    settings: Settings, db: Database, tmp_path: Path
) -> None:
    report, memory = await bench.run(Stage(settings, {}, Progress(disable=True), tmp_path), SMALL)

    assert [each.name for each in report.figures if each.target] == JUDGED
    assert [each.value for each in report.figures[:2]] == [0, 0]
    assert report.details["churn"]["streams"] > 0
    drawing = svg(report.title, report.figures, memory)
    assert all(name in drawing for name in JUDGED[2:])


async def test_a_thousand_streams_come_back_at_once_and_requests_are_answered_meanwhile(
    settings: Settings, db: Database, tmp_path: Path
) -> None:
    size = Size(streams=[1_000], of_storm=storm.Size(rounds=2, asked=100))
    report = await bench.run_storm(Stage(settings, {}, Progress(disable=True), tmp_path), size)

    assert {each.name: each.met for each in report.figures} == {
        "numbers that came twice, late or never": True,
        "1,000: storm, all back": True,
        "1,000: storm, API p99": True,
    }


def test_a_plot_is_an_svg_whatever_the_figures_are_called() -> None:
    figures = [figure("p99 <with> & without", "ms", [3, 4], bound=1, most=5), figure("no target", "ms", [1], bound=1)]

    drawing = ElementTree.fromstring(svg("A & B", figures, Memory(seconds=[0, 1], mb=[50, 60])))  # noqa: S314

    texts = [each.text for each in drawing.iter("{http://www.w3.org/2000/svg}text")]
    assert "p99 <with> & without" in texts
    assert "no target" not in texts
