"""The live path of one web process: the hub, what feeds it, and what repairs it."""

import asyncio
import random
import signal
from collections.abc import Callable, Coroutine
from contextlib import suppress

import structlog
from redis.asyncio import Redis
from sqlalchemy.exc import SQLAlchemyError

from belfry.background import end
from belfry.realtime.hub import BEATS, Hub
from belfry.realtime.resume import Reader
from belfry.realtime.subscription import Subscription
from belfry.settings import Settings
from db import Database

log = structlog.get_logger()

PAUSE_BEFORE_START = 1.0


class Live:
    def __init__(self, settings: Settings, db: Database, redis: Redis, *, changed: Callable[[int, int], None]) -> None:
        self.hub = Hub(lagging_seconds=settings.lagging_seconds, changed=changed)
        self._settings = settings
        self._reader = Reader(self.hub, db, replay_limit=settings.replay_limit)
        self._gap = asyncio.Event()
        self.subscription = Subscription(redis, receive=self.hub.receive, gap=self._gap.set)
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> "Live":
        self._start(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self.hub.close()
        for task in self._tasks:
            await end(task)

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        task.add_done_callback(_end_process)
        self._tasks.append(task)

    async def _run(self) -> None:
        """Begin as soon as the database can be read, which may be after its migration."""
        await self._begin()
        self._start(self._reader.run())
        self._start(self._reader.fill_holes())
        self._start(self.subscription.run())
        self._start(self._beat())
        self._start(self._check_now_and_then())

    async def _begin(self) -> None:
        while True:
            try:
                return await self._reader.start()
            except (SQLAlchemyError, OSError) as error:
                log.warning("cannot read the database yet; streams wait", error=type(error).__name__)
            await asyncio.sleep(PAUSE_BEFORE_START)

    async def _beat(self) -> None:
        turn = 0
        while True:
            await asyncio.sleep(self._settings.heartbeat_seconds / BEATS)
            self.hub.beat(turn)
            turn += 1

    async def _check_now_and_then(self) -> None:
        """Check all positions after each gap, and now and then. It may take its time: events are read meanwhile."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._settings.position_check_seconds * random.uniform(0.8, 1.0)):  # noqa: S311
                    await self._gap.wait()
            self._gap.clear()
            try:
                await self._reader.check_positions()
            except (SQLAlchemyError, OSError) as error:
                log.warning("cannot check positions; will try again", error=type(error).__name__)


def _end_process(task: asyncio.Task[None]) -> None:
    """A web process whose live path ended by a bug would go on silently deaf: let it be restarted instead."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.critical("the live path broke; stopping", exc_info=error)
        signal.raise_signal(signal.SIGTERM)
