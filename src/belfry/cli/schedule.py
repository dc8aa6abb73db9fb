"""`belfry schedule`: recurring broadcasts, from the machine itself."""

import sys
from typing import TYPE_CHECKING

import rich_click as click

from belfry.cli.database import run as work_on
from belfry.cli.database import tell
from belfry.cli.words import given, words

if TYPE_CHECKING:
    from db import Database, Tx
    from db.queries.schedules import Run, Schedule

SHOWN_RUNS = 3


@click.group("schedule")
def command() -> None:
    """Make, run and pause schedules."""


@command.command()
@click.argument("name")
@click.argument("cron")
@click.option("--zone", "time_zone", default="UTC", show_default=True, help="IANA time zone, such as Europe/Berlin.")
@words
@click.option("--to", "audience", multiple=True, metavar="EMAIL", help="May be repeated. [default: everyone]")
@click.option("--late", "late_policy", type=click.Choice(["send", "skip"]), help="What a missed run does.")
@click.option("--grace", "grace_seconds", type=int, help="Seconds after which --late skip skips. [default: 3600]")
@click.option("--paused", is_flag=True, help="Do not run it before it is resumed.")
@click.option("--as", "owner", metavar="EMAIL", help="Its owner and sender. [default: BELFRY_BROADCAST_SENDER]")
def add(owner: str | None, paused: bool, **plan: object) -> None:
    """Make a schedule: NAME, and CRON in five fields or as @daily and the like.

    Title and content may hold {date}, {count} (which run this is) and {schedule} (its name).
    """
    from belfry.cli.settings import read_settings
    from belfry.intake.decoding import convert
    from belfry.schedules import plans
    from belfry.schedules.plans import NewSchedule
    from belfry.sending import broadcasts
    from db.queries.audit import COMMAND_LINE

    sender = owner or read_settings().broadcast_sender

    async def work(db: "Database") -> "Schedule":
        wanted = convert(given(plan) | {"enabled": not paused}, NewSchedule)
        async with db.begin() as tx:
            owning = await broadcasts.named_sender(tx, sender)
            return await plans.create(tx, wanted, owner=owning, by=COMMAND_LINE)

    made = work_on(work)
    print(f"Made the schedule {made.name} with the id {made.id}. Next: {', '.join(_next_runs(made)) or 'paused'}.")


@command.command("list")
def list_() -> None:
    """List the schedules with their next run times."""
    from rich.console import Console
    from rich.table import Table

    from db.queries import schedules

    async def work(db: "Database") -> "list[Schedule]":
        async with db.statement() as tx:
            return await schedules.every(tx)

    table = Table("id", "name", "cron", "zone", "to", "owner", "sent", "next runs")
    for each in work_on(work):
        to = "everyone" if each.audience is None else f"{len(each.audience)} users"
        times = "\n".join(_next_runs(each)) or "paused"
        table.add_row(
            str(each.id), each.name, each.cron, each.time_zone, to, each.owner_email or "gone", str(each.sent), times
        )
    Console().print(table)


@command.command()
@click.argument("name")
def run(name: str) -> None:
    """Run a schedule now, beside its times; also a paused one."""
    from belfry.cli.settings import read_settings
    from belfry.schedules import running
    from db.models import Outcome
    from db.queries.audit import COMMAND_LINE

    settings = read_settings()

    async def work(db: "Database") -> "Run":
        async with db.begin() as tx:
            ran, published = await running.run_now(tx, await _named(tx, name), by=COMMAND_LINE)
        await tell(settings, published)
        return ran

    ran = work_on(work)
    if ran.outcome is not Outcome.SENT:
        sys.exit(f"{name} was not sent: {ran.reason}.")
    print(f"Sent {name}: {len(ran.notification_ids)} notifications.")


@command.command()
@click.argument("name")
def pause(name: str) -> None:
    """Stop running a schedule until it is resumed."""
    _enable(name, False)
    print(f"{name} is paused.")


@command.command()
@click.argument("name")
def resume(name: str) -> None:
    """Run a paused schedule again. What it missed while paused is not sent."""
    times = _next_runs(_enable(name, True))
    print(f"{name} runs again. Next: {', '.join(times)}.")


@command.command()
@click.argument("name")
def remove(name: str) -> None:
    """Delete a schedule and the ledger of its runs. What it sent stays."""
    from belfry.schedules import plans
    from db.queries.audit import COMMAND_LINE

    async def work(db: "Database") -> None:
        async with db.begin() as tx:
            await plans.remove(tx, await _named(tx, name), by=COMMAND_LINE)

    work_on(work)
    print(f"{name} is deleted.")


def _enable(name: str, enabled: bool) -> "Schedule":
    from belfry.schedules import plans
    from belfry.schedules.plans import ScheduleChange
    from db.queries.audit import COMMAND_LINE

    async def work(db: "Database") -> "Schedule":
        async with db.begin() as tx:
            schedule = await _named(tx, name)
            return await plans.change(tx, schedule, ScheduleChange(enabled=enabled), by=COMMAND_LINE)

    return work_on(work)


async def _named(tx: "Tx", name: str) -> "Schedule":
    from db.queries import schedules

    schedule = await schedules.by_name(tx, name)
    if schedule is None:
        sys.exit(f"There is no schedule with the name {name}.")
    return schedule


def _next_runs(schedule: "Schedule") -> list[str]:
    """In the schedule's zone, with its offset; none while it is paused."""
    from belfry.schedules import cron

    if not schedule.enabled:
        return []
    times = cron.upcoming(schedule.cron, schedule.time_zone, after=schedule.now, count=SHOWN_RUNS)
    return [f"{time:%a %Y-%m-%d %H:%M %z}" for time in times]
