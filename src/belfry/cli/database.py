"""Work on the database in a command: what stands in its way is said in one line, without a traceback."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from belfry.sending.publish import Published
    from belfry.settings import Settings
    from db import Database

T = TypeVar("T")


def run(work: "Callable[[Database], Awaitable[T]]") -> T:
    """Run database work on a connection of its own."""
    from sqlalchemy.exc import OperationalError, ProgrammingError

    from belfry.cli.settings import read_settings
    from belfry.errors import Problem
    from db import connect

    async def connected() -> T:
        db = connect(read_settings().database_url, pool_size=1)
        try:
            return await work(db)
        finally:
            await db.close()

    try:
        return asyncio.run(connected())
    except Problem as problem:
        sys.exit(problem.detail)
    except UnicodeError:
        sys.exit("What was given is not UTF-8.")
    except OperationalError as error:
        sys.exit(f"The database cannot be reached: {' '.join(str(error.orig).split())}")
    except ProgrammingError:
        sys.exit("The database is not migrated. Run `belfry migrate` first.")


async def tell(settings: "Settings", published: "Published") -> None:
    """After the commit, as a handler does: tell the open streams, and ring for the e-mails.

    Without Redis it is a warning: streams and workers find it in the database, within 15 seconds.
    """
    from belfry import log
    from belfry.realtime.announce import Announcer, connect_events
    from belfry.sending.bell import QueueBell, connect_queue

    if not published.items:
        return
    log.configure()  # to standard error: standard output is the command's answer
    events, queue = connect_events(settings.pubsub_url), connect_queue(settings.redis_url)
    try:
        async with QueueBell(queue) as bell, Announcer(events) as announcer:
            published.tell(announcer, bell)
    finally:
        await events.aclose()
        await queue.aclose()
