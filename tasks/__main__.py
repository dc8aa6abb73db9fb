"""`python -m tasks`: one worker, until SIGTERM or Ctrl-C."""

import asyncio
import signal
import sys

import uvloop

from belfry import garbage, log
from belfry.redis_access import check_redis_access
from belfry.settings import Settings, SettingsError
from tasks.worker import run

__all__ = ["main"]


async def _run(settings: Settings) -> None:
    await check_redis_access(settings)
    stop = asyncio.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signum, stop.set)
    await run(settings, stop)


def main() -> int:
    log.configure()
    try:
        settings = Settings.from_env()
        log.configure(hide=settings.secrets)
        garbage.settle()
        uvloop.run(_run(settings))
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
