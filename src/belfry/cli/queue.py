"""`belfry queue`."""

import asyncio
import sys
from typing import TYPE_CHECKING

import rich_click as click

if TYPE_CHECKING:
    from redis.asyncio import Redis
    from rich.console import RenderableType

    from belfry.mail.queue import Queue
    from db import Database

INTERVAL = 1.0


@click.command("queue")
@click.option("--once", is_flag=True, help="Show it once, instead of until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="Print it once, as JSON.")
def command(once: bool, as_json: bool) -> None:
    """Show the send queue: what waits, how late it is, and what the workers are doing."""
    from sqlalchemy.exc import OperationalError, ProgrammingError

    try:
        asyncio.run(_show(once=once, as_json=as_json))
    except KeyboardInterrupt:
        pass
    except OperationalError as error:
        sys.exit(f"The database cannot be reached: {' '.join(str(error.orig).split())}")
    except ProgrammingError:
        sys.exit("The database is not migrated. Run `belfry migrate` first.")


async def _show(*, once: bool, as_json: bool) -> None:
    from rich.console import Console

    from belfry.cli.settings import read_settings
    from belfry.mail.queue import look
    from belfry.mail.workers import connect_workers
    from db import connect

    settings = read_settings()
    db, redis = connect(settings.database_url, pool_size=1), connect_workers(settings.redis_url)
    try:
        if as_json:
            import msgspec

            print(msgspec.json.format(msgspec.json.encode(await look(db, redis))).decode())
        elif once:
            Console().print(picture(await look(db, redis)))
        else:
            await _live(db, redis)
    finally:
        await redis.aclose()
        await db.close()


async def _live(db: "Database", redis: "Redis") -> None:
    from rich.live import Live

    from belfry.mail.queue import look

    with Live(picture(await look(db, redis)), auto_refresh=False, screen=sys.stdout.isatty()) as live:
        while True:
            await asyncio.sleep(INTERVAL)
            live.update(picture(await look(db, redis)), refresh=True)


def picture(queue: "Queue") -> "RenderableType":
    """The queue as a table of its states, a line on mail as a whole, and a table of workers."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    states = Table("e-mails", box=None, pad_edge=False)
    states.add_column("", justify="right")
    for state, count in queue.counts.items():
        about = "about " if state in queue.estimated else ""
        states.add_row(state, f"{about}{count:,}")
    late = "nothing is due" if queue.oldest_due_seconds is None else f"due since {span(queue.oldest_due_seconds)}"
    style = {"working": "green", "paused": "bold red"}.get(queue.mail, "yellow")
    mail = Text.assemble(
        "mail is ",
        (queue.mail, style),
        f": {queue.reason}" if queue.reason else "",
        f" · {queue.rate:g} a second · {late}",
    )
    workers = Table("worker", "mail", "sending", "a second", "doing", box=None, pad_edge=False)
    for worker in queue.workers:
        doing = ", ".join(job.job for job in worker.doing) or "waiting"
        workers.add_row(worker.name, worker.mail, str(worker.sending), f"{worker.rate:g}", doing)
    return Group(states, "", mail, "", workers if queue.workers else "No worker says that it is alive.")


def span(seconds: float) -> str:
    """`95` as `1 min 35 s`."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
