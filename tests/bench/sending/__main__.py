"""`just bench-send`: how fast the queue is, against the worker of a tutorial and the limit of the relay itself.

Needs Linux: cores are pinned and processors' time is read from /proc.
"""

import argparse
import asyncio
import tempfile
from pathlib import Path

from rich.console import Console

from tests.bench.__main__ import progress_on, stoppable
from tests.bench.machine import Machine
from tests.bench.report import keep, show
from tests.bench.sending import bench
from tests.bench.stage import staged


async def measure(parts: list[str], *, quick: bool, console: Console) -> None:
    """Run parts one after the other, each on servers of its own."""
    machine = Machine.here(Path(tempfile.gettempdir()))
    for part in parts:
        with progress_on(console) as progress:
            async with staged(progress) as stage:
                report = await bench.run(stage, part, bench.QUICK if quick else bench.Size())
        show(report, machine, console)
        console.print(f"[dim]{keep(report, machine, quick=quick)}\n")


def main() -> None:
    parser = argparse.ArgumentParser(prog="just bench-send", description="Measure the send queue on this machine.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(bench.PARTS)}; default all")
    parser.add_argument("--quick", action="store_true", help="a short run, to see that it works; tells nothing")
    given = parser.parse_args()
    if unknown := set(given.parts) - set(bench.PARTS):
        parser.error(f"no part {', '.join(sorted(unknown))}; there are {', '.join(bench.PARTS)}")
    asyncio.run(stoppable(measure(given.parts or list(bench.PARTS), quick=given.quick, console=Console())))


if __name__ == "__main__":
    main()
