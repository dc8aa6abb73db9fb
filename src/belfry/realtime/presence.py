"""Who has a stream open, over all web processes.

Each process keeps a Redis hash of its own: user id to number of open streams. It expires soon unless it is refreshed,
so a process that died is not counted for long, and nobody has to notice its death.
"""

import asyncio
from collections import Counter
from contextlib import suppress
from uuid import uuid4

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from belfry.background import end
from belfry.errors import Unavailable
from belfry.redis_access import connect_redis

log = structlog.get_logger()

PREFIX = "belfry:presence:"
KEEP_SECONDS = 5
REFRESH_SECONDS = 1.5
PAUSE = 0.5  # between two writes: what changes meanwhile is one round trip
MOST_AT_ONCE = 1_000  # users in one round trip; encoding them holds the loop for about a millisecond
SCANNED = 10_000  # keys looked at in one round trip; the pages of the cache lie beside ours
DEADLINE = 0.5
FAILURES = (RedisError, OSError, TimeoutError)


def connect_presence(url: str) -> Redis:
    """Prepare a client for the Redis that knows who is here; nothing is opened until it is used."""
    return connect_redis(url, seconds=DEADLINE)


class Presence:
    """Tells Redis of this process's streams in the background, and asks it for those of all."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._key = PREFIX + uuid4().hex
        self._streams: dict[int, int] = {}
        self._changed: set[int] = set()  # users of whom Redis does not know yet what we know
        self._some = asyncio.Event()
        self._away = False
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Presence":
        self._task = asyncio.create_task(self._run(), name="presence")
        return self

    async def __aexit__(self, *_: object) -> None:
        await end(self._task)
        with suppress(*FAILURES):  # it expires
            async with asyncio.timeout(DEADLINE):
                await self._redis.delete(self._key)

    def changed(self, user_id: int, streams: int) -> None:
        """Note how many streams a user has open here; returns at once."""
        if streams:
            self._streams[user_id] = streams
        else:
            self._streams.pop(user_id, None)
        self._changed.add(user_id)
        self._some.set()

    async def streams(self) -> dict[int, int]:
        """The number of open streams of each user who has any, over all processes.

        Raises:
            Unavailable: Redis does not say.
        """
        total: Counter[int] = Counter()
        try:
            async with asyncio.timeout(DEADLINE):
                keys = {key async for key in self._redis.scan_iter(PREFIX + "*", count=SCANNED)}
                pipeline = self._redis.pipeline(transaction=False)
                for key in keys:
                    pipeline.hgetall(key)
                for counts in await pipeline.execute():
                    total.update({int(user_id): int(streams) for user_id, streams in counts.items()})
        except FAILURES:
            raise Unavailable("Who is here cannot be said right now.") from None
        return dict(total)

    async def _run(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(REFRESH_SECONDS):
                    await self._some.wait()
            self._some.clear()
            await self._write()
            await asyncio.sleep(PAUSE)

    async def _write(self) -> None:
        """Write what changed, or all if Redis lost it, and keep it for a while longer. What fails is tried again."""
        while True:
            batch = [self._changed.pop() for _ in range(min(len(self._changed), MOST_AT_ONCE))]
            try:
                async with asyncio.timeout(DEADLINE):
                    was_there = await self._send(batch)
            except FAILURES as error:
                self._changed.update(batch)
                if not self._away:
                    log.warning("cannot say who is here; will try again", error=type(error).__name__)
                self._away = True
                return
            self._away = False
            if not was_there:  # forgotten, or new: what is not in this batch is not there either
                self._changed.update(self._streams.keys() - batch)
            if not self._changed:
                return

    async def _send(self, batch: list[int]) -> bool:
        """Write these users' numbers; whether Redis still had those of the others.

        One transaction: of a process killed in the middle of it nothing may stay without an end.
        """
        here = {str(user_id): self._streams[user_id] for user_id in batch if user_id in self._streams}
        gone = [str(user_id) for user_id in batch if user_id not in self._streams]
        pipeline = self._redis.pipeline(transaction=True)
        pipeline.exists(self._key)
        if here:
            pipeline.hset(self._key, mapping=here)
        if gone:
            pipeline.hdel(self._key, *gone)
        pipeline.expire(self._key, KEEP_SECONDS)
        was_there, *_ = await pipeline.execute()
        return bool(was_there)
