"""`just soak`: hurt everything for half an hour, and prove that nothing was lost."""

import argparse
import asyncio
import random
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from rich.console import Console

from tests.fuzz.soak import fuzzed
from tests.soak.plan import Plan
from tests.soak.report import keep, show
from tests.soak.run import soak
from tests.soak.verdict import judge

RESULTS = Path("soak-results")
MOMENT = 30  # seconds; with less the fuzzer does not come to all routes


class Given(msgspec.Struct, frozen=True, kw_only=True):
    seed: int
    minutes: float
    console: Console


async def faults(given: Given) -> bool:
    """Whether all promises held while everything was killed, frozen, flushed and refused."""
    plan = Plan(seed=given.seed, seconds=given.minutes * 60)
    RESULTS.mkdir(exist_ok=True)
    stem = RESULTS / f"soak-{datetime.now(UTC):%Y%m%dT%H%M%S}-seed{given.seed}"
    began = time.monotonic()

    def say(line: str) -> None:
        given.console.print(f"[dim]{time.monotonic() - began:7.1f} s  {line}", highlight=False)

    evidence = await soak(plan, stem.with_suffix(".log"), say=say)
    broken = judge(evidence, plan)
    show(evidence, broken, plan, given.console)
    if broken:
        keep(evidence, broken, plan, stem.with_suffix(".json"))
        given.console.print(f"The evidence is in {stem}.json, what the processes said in {stem}.log")
        given.console.print(f"Repeat it: just soak --seed {given.seed} --minutes {given.minutes:g}")
    return not broken


async def fuzz(given: Given) -> bool:
    """Whether every answer was as the OpenAPI document says, for a third of the minutes: ten of thirty."""
    directory = RESULTS / f"fuzz-{datetime.now(UTC):%Y%m%dT%H%M%S}-seed{given.seed}"
    seconds = max(MOMENT, int(given.minutes * 60 / 3))
    return await fuzzed(directory, seed=given.seed, seconds=seconds, console=given.console)


PARTS: dict[str, Callable[[Given], Awaitable[bool]]] = {"faults": faults, "fuzz": fuzz}


async def run(names: list[str], given: Given) -> bool:
    """Run parts one after the other, all of them; SIGTERM stops what was started, as Ctrl-C does."""

    async def parts() -> bool:
        return all([await PARTS[name](given) for name in names])

    task = asyncio.ensure_future(parts())
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with suppress(asyncio.CancelledError):
        return await task
    sys.exit(130)


def main() -> None:
    parser = argparse.ArgumentParser(prog="just soak", description="Hurt everything, and prove that nothing was lost.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; default all")
    parser.add_argument("--minutes", type=float, default=30.0, help="how long; default 30")
    parser.add_argument("--seed", type=int, help="repeat the faults and requests of an earlier run")
    given = parser.parse_args()
    if unknown := set(given.parts) - PARTS.keys():
        parser.error(f"no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    seed = random.randrange(1_000_000) if given.seed is None else given.seed
    console = Console()
    console.print(f"Seed {seed}")
    held = asyncio.run(run(given.parts or list(PARTS), Given(seed=seed, minutes=given.minutes, console=console)))
    sys.exit(0 if held else 1)


if __name__ == "__main__":
    main()
