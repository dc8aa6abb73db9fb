"""`just soak fuzz`: the fuzzer for minutes, against a web process of its own, with a table of what it did."""

import asyncio
import secrets
from pathlib import Path

from rich.console import Console
from rich.table import Table

from belfry.settings import Settings
from belfry.up import postgres, redis
from db import connect
from db.migrate import upgrade
from tests.fuzz.run import Rate, Report, fuzz, unlimited
from tests.processes import web
from tests.up.witness import passable_directory


async def fuzzed(directory: Path, *, seed: int, seconds: int, console: Console) -> bool:
    """Whether every answer was as documented. What the fuzzer and Belfry said is left in the directory."""

    def say(line: str) -> None:
        console.print(f"[dim]{line}", highlight=False)

    directory.mkdir(parents=True, exist_ok=True)
    with passable_directory() as place, (directory / "belfry.log").open("wb", buffering=0) as log:
        async with postgres.running(place / "data", say=say) as database, redis.running(say=say) as cache:
            await asyncio.to_thread(upgrade, connect(database.url), say=say)  # it runs an event loop of its own
            settings = unlimited(
                Settings(
                    database_url=database.url,
                    redis_url=cache.url,
                    secret_key=secrets.token_urlsafe(48),
                    data_dir=str(place),
                )
            )
            async with web(settings, stderr=log) as process:
                # the budget is for all of it, and what is left of it is the last phase's, which has no end by itself
                options = ["--max-time", str(seconds)]
                report, said = await fuzz(process.url, settings, directory, seed=seed, options=options)
    show(report, console)
    defects = (directory / "belfry.log").read_bytes().count(b'"event":"request failed"')
    held = report.exit_code == 0 and defects == 0
    if not held:
        console.print(said, highlight=False, markup=False)
        console.print(f"[bold red]Belfry logged {defects} defects; see {directory}")
    return held


def show(report: Report, console: Console) -> None:
    requests = f"{report.test_cases.generated} requests. Of those of the right form:"
    title = f"Fuzz of {report.running_time:.0f} s with seed {report.seed}: {requests}"
    table = Table(title=title, title_justify="left")
    for name in ("", "taken", "not for it", "conflict", "refused"):
        table.add_column(name, justify="right" if name else "left")
    for operation, phases in sorted(report.valid_rates.items()):
        rates = list(phases.values())
        table.add_row(operation, *(str(sum(each)) for each in zip(*map(_counts, rates), strict=True)))
    table.add_section()
    for failure in report.failures:
        table.add_row(f"[bold red]{failure.title}: {', '.join(failure.operations)}", str(failure.count))
    table.add_row("answers that are not as documented", str(report.test_cases.unique_failures))
    table.add_row("operations", f"{report.operations.tested} of {report.operations.total}")
    console.print(table)


def _counts(rate: Rate) -> tuple[int, int, int, int]:
    return rate.accepted, rate.unreachable, rate.conflicts, rate.rejected
