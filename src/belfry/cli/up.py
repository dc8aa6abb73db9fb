"""`belfry up`."""

import asyncio
import sys
import time
from contextlib import suppress

import rich_click as click

from belfry.settings import SettingsError, environment


@click.command("up")
@click.option("--web", default=1, show_default=True, type=click.IntRange(min=1), help="Web processes.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(min=0), help="Worker processes.")
def command(web: int, workers: int) -> None:
    """Start everything on this machine.

    PostgreSQL, Redis and a mail catcher are started unless BELFRY_DATABASE_URL, BELFRY_REDIS_URL and BELFRY_SMTP_URL
    name servers to use instead. Then the web and worker processes are started, and started again whenever one dies.
    Data is kept in .belfry (BELFRY_DATA_DIR). Ctrl-C stops it all.
    """
    from belfry.up import supervisor
    from belfry.up.held import Taken
    from belfry.up.listener import PortTaken
    from belfry.up.place import Unreachable
    from belfry.up.program import ProgramFailed

    try:
        asyncio.run(supervisor.run(environment(), web=web, workers=workers, say=say))
    except Taken as taken:
        sys.exit(f"Belfry is already up with this data directory, as process {taken.holder}; it was left alone.")
    except (SettingsError, PortTaken, Unreachable, ProgramFailed) as error:
        sys.exit(str(error))
    except OSError as error:
        if error.filename is None:  # not about a file: a defect, not somebody's mistake
            raise
        sys.exit(f"{error.filename}: {error.strerror}. BELFRY_DATA_DIR names another data directory.")


def say(text: str) -> None:
    """Print, but never fail: the terminal may have been closed, and everything must still be stopped in order."""
    with suppress(OSError):
        print(text if text.startswith("\n") else f"{time.strftime('%H:%M:%S')} {text}", flush=True)
