"""Telling the web processes what was committed. Best effort: what is lost here is read from PostgreSQL."""

import asyncio
from collections import deque
from collections.abc import Iterable

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from belfry.background import end
from belfry.errors import Unavailable
from belfry.realtime import frames
from belfry.redis_access import connect_redis

log = structlog.get_logger()

DEADLINE = 0.5  # seconds; a frozen Redis answers nothing, and says nothing either
MOST_WAITING = 10_000  # messages; beyond it the oldest go, and the position check repairs what they said
MOST_AT_ONCE = 500
PAUSE_AFTER_FAILURE = 0.2

CONNECT_SECONDS = 2.0


def connect_events(url: str) -> Redis:
    """Prepare a client for the Redis of live events; nothing is opened until it is used."""
    return connect_redis(url, seconds=CONNECT_SECONDS)


class Announcer:
    """Publishes messages in the order they were given, off the path of the request that caused them."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._waiting: deque[frames.Message] = deque(maxlen=MOST_WAITING)
        self._some = asyncio.Event()
        self._away = False
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Announcer":
        self._task = asyncio.create_task(self._run(), name="announcer")
        return self

    async def __aexit__(self, *_: object) -> None:
        await end(self._task)
        if self._waiting:
            await self._publish_some()

    def tell(self, messages: Iterable[frames.Message]) -> None:
        """Queue messages about what has been committed; returns at once."""
        self._waiting.extend(messages)
        self._some.set()

    async def alert(self, message: frames.Alerted) -> None:
        """Publish an alert now. It is stored nowhere, so a caller must hear when it went nowhere.

        Raises:
            Unavailable: Redis did not take it.
        """
        try:
            async with asyncio.timeout(DEADLINE):
                await self._redis.publish(frames.channel(message), frames.pack(message))
        except (RedisError, OSError, TimeoutError):
            raise Unavailable("Alerts cannot be passed on right now; nobody was alerted.") from None

    async def _run(self) -> None:
        while True:
            await self._some.wait()
            self._some.clear()
            while self._waiting:
                if not await self._publish_some():
                    await asyncio.sleep(PAUSE_AFTER_FAILURE)

    async def _publish_some(self) -> bool:
        """Publish what waits, in one round trip. What fails is dropped: a late repeat would only be a hole sooner."""
        messages = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST_AT_ONCE))]
        try:
            async with asyncio.timeout(DEADLINE), self._redis.pipeline(transaction=False) as pipeline:
                for message in messages:
                    pipeline.publish(frames.channel(message), frames.pack(message))
                await pipeline.execute()
        except (RedisError, OSError, TimeoutError) as error:
            if not self._away:
                log.warning(
                    "events are not published; until they are, streams read them from the database",
                    error=type(error).__name__,
                )
            self._away = True
            return False
        self._away = False
        return True
