"""The benchmarks run and say what they should; how fast it was is not asked here."""

from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest
from rich.console import Console
from rich.progress import Progress

from belfry.settings import Settings
from db import Database
from tests.bench import accept, inbox, latency, logins, page, strangers
from tests.bench.inboxes import Layout
from tests.bench.machine import Machine
from tests.bench.report import Kept, figure, keep, show
from tests.bench.stage import Stage
from tests.realtime import chromium

pytestmark = pytest.mark.slow

SMALL = {
    accept: accept.Size(rounds=2, seconds=0.3, warm_up=0.1, recipients=20, batches=3),
    inbox: inbox.Size(layout=Layout(blocks=10, block=20, medium=4, large=10), rounds=2, repeats=3, warm_up=1),
    latency: latency.Size(rounds=2, posts=5, warm_up=1, per_second=100),
    logins: logins.Size(rounds=1, posts=5, warm_up=1, logins=4),
    page: page.Size(rounds=2, loads=1, warm_up=1, items=3),
    strangers: strangers.Size(rounds=2, samples=3),
}
FIGURES = {
    accept: ["sends", "bare inserts", "sends : bare inserts", "batch of 20"],
    inbox: [f"{what}: {count} against 10" for what in inbox.PATHS for count in (40, 100)],
    latency: [f"{event} event, {at}" for event in ("notification", "count") for at in ("p50", "p99")],
    logins: [
        "logins",
        *(f"notification event, {at}, {when}" for when in (logins.CALM, logins.STORM) for at in ("p50", "p99")),
    ],
    page: [page.COLD, page.WARM, page.BARE],
    strangers: ["the longer against the shorter"],
}


@pytest.mark.parametrize(
    "benchmark",
    [pytest.param(each, marks=chromium.needed if each is page else ()) for each in SMALL],
    ids=lambda each: each.__name__,
)
async def test_a_benchmark_reports_its_figures_and_keeps_them(
    benchmark: ModuleType, settings: Settings, db: Database, tmp_path: Path
) -> None:
    stage = Stage(settings, {}, Progress(disable=True), tmp_path)
    size: Any = SMALL[benchmark]

    report = await benchmark.run(stage, size)

    assert [each.name for each in report.figures] == FIGURES[benchmark]
    assert all(each.value > 0 for each in report.figures)
    console = Console(record=True, width=200)
    machine = Machine.here(tmp_path)
    show(report, machine, console)
    printed = console.export_text()
    assert all(each.name in printed for each in report.figures)
    path = keep(report, machine, quick=True, directory=tmp_path)
    assert msgspec.json.decode(path.read_bytes(), type=Kept).report == report


def test_rounds_that_differ_too_much_tell_nothing() -> None:
    assert figure("sends", "/s", [900, 1000, 1100], bound=0.1, least=500).verdict.startswith("too noisy to tell")
    assert figure("sends", "/s", [990, 1000, 1010], bound=0.1, least=500).verdict == ">= 500: met"


def test_other_programs_that_use_the_processors_make_it_too_noisy_to_tell() -> None:
    assert figure("sends", "/s", [1000, 1000], bound=0.1, others=0.5).verdict.startswith("too noisy to tell")
