"""`just bench-stream`: what streams cost, and how fast they are, against the least that is possible.

Needs Linux: cores are pinned and processors' time is read from /proc.
"""

import argparse
import asyncio
import tempfile
from pathlib import Path

import msgspec
from rich.console import Console

from tests.bench.__main__ import progress_on, stoppable
from tests.bench.machine import Machine
from tests.bench.report import keep, show
from tests.bench.stage import staged
from tests.bench.streams import bench
from tests.bench.streams.crew import room_for
from tests.bench.streams.plot import svg

STREAMS = [1_000, 10_000]


async def measure(size: bench.Size, *, quick: bool, console: Console) -> None:
    machine = Machine.here(Path(tempfile.gettempdir()))
    with progress_on(console) as progress:
        async with staged(progress) as stage:
            report, memory = await bench.run(stage, size)
    show(msgspec.structs.replace(report, details={}), machine, console)
    for name, row in report.details.items():
        console.print(f"[dim]{name}: {', '.join(f'{what} {value:,.4g}' for what, value in row.items())}")
    path = keep(report, machine, quick=quick)
    drawing = path.with_suffix(".svg")
    drawing.write_text(svg(f"{report.title}. {machine}", report.figures, memory))
    console.print(f"[dim]{path}\n{drawing}")


async def measure_storm(size: bench.Size, *, quick: bool, console: Console) -> None:
    machine = Machine.here(Path(tempfile.gettempdir()))
    with progress_on(console) as progress:
        async with staged(progress) as stage:
            report = await bench.run_storm(stage, size)
    show(report, machine, console)
    console.print(f"[dim]{keep(report, machine, quick=quick)}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="just bench-stream", description="Measure streams on this machine.")
    parser.add_argument("--streams", nargs="+", type=int, default=STREAMS, help="how many; default %(default)s")
    parser.add_argument("--churn-minutes", type=float, help="how long streams come and vanish; default a third")
    parser.add_argument("--quick", action="store_true", help="a short run, to see that it works; tells nothing")
    parser.add_argument("--storm", action="store_true", help="only the storm: all streams come back at once")
    given = parser.parse_args()
    streams = sorted({room_for(each) for each in given.streams})
    if streams[-1] < max(given.streams):
        print(f"A process may open too few files for {max(given.streams):,} streams; taking {streams[-1]:,}.")
    size = bench.quick(streams) if given.quick else bench.Size(streams=streams)
    if given.churn_minutes is not None:
        size = msgspec.structs.replace(
            size, of_holding=msgspec.structs.replace(size.of_holding, churn_seconds=given.churn_minutes * 60)
        )
    of = measure_storm if given.storm else measure
    asyncio.run(stoppable(of(size, quick=given.quick, console=Console())))


if __name__ == "__main__":
    main()
