"""`just bench`: measure on this machine, with everything real switched on.

Needs Linux: cores are pinned and processors' time is read from /proc.
"""

import argparse
import asyncio
import signal
import sys
import tempfile
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from types import ModuleType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from tests.bench import accept, inbox, latency, logins, page, strangers
from tests.bench.machine import Machine
from tests.bench.report import keep, show
from tests.bench.stage import staged

BENCHMARKS: dict[str, ModuleType] = {
    "accept": accept,
    "inbox": inbox,
    "latency": latency,
    "logins": logins,
    "page": page,
    "strangers": strangers,
}


async def measure(names: list[str], *, quick: bool, console: Console) -> None:
    """Run benchmarks one after the other, each on servers of its own."""
    machine = Machine.here(Path(tempfile.gettempdir()))
    for name in names:
        benchmark = BENCHMARKS[name]
        with progress_on(console) as progress:
            async with staged(progress) as stage:
                report = await benchmark.run(stage, benchmark.QUICK if quick else benchmark.FULL)
        show(report, machine, console)
        console.print(f"[dim]{keep(report, machine, quick=quick)}\n")


def progress_on(console: Console) -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    )


async def stoppable(measuring: Coroutine[None, None, None]) -> None:
    """Measure, but SIGTERM stops what was started, as Ctrl-C does."""
    task = asyncio.ensure_future(measuring)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with suppress(asyncio.CancelledError):
        await task
    if task.cancelled():
        sys.exit(130)


def main() -> None:
    parser = argparse.ArgumentParser(prog="just bench", description="Measure on this machine, and say what came of it.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}; default all")
    parser.add_argument("--quick", action="store_true", help="a short run, to see that it works; tells nothing")
    given = parser.parse_args()
    if unknown := set(given.names) - BENCHMARKS.keys():
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    asyncio.run(stoppable(measure(given.names or list(BENCHMARKS), quick=given.quick, console=Console())))


if __name__ == "__main__":
    main()
