"""Who has how many streams open, over all web processes.

Each process keeps a Redis hash of its own: user to number of open streams, and another one for addresses. It expires
soon unless it is refreshed, so a process that died is not counted for long, and nobody has to notice its death.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Generic, Self, TypeVar
from uuid import uuid4

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from belfry.background import end
from belfry.errors import Unavailable
from belfry.redis_access import connect_redis
from belfry.together import Together

log = structlog.get_logger()

KEEP_SECONDS = 5
REFRESH_SECONDS = 1.5
PAUSE = 0.5  # between two writes: what changes meanwhile is one round trip
MOST_AT_ONCE = 1_000  # of them in one round trip; encoding them holds the loop for about a millisecond
DEADLINE = 0.5
FAILURES = (RedisError, OSError, TimeoutError)

K = TypeVar("K", int, str)

# The streams of some in all processes but one. A process whose hash is gone leaves the index, and comes back with it.
ELSEWHERE = """
local total = {}
for at = 2, #ARGV do total[at - 1] = 0 end
for _, key in ipairs(redis.call('SMEMBERS', KEYS[1])) do
    if key ~= ARGV[1] then
        local found = false
        for at = 2, #ARGV do
            local count = redis.call('HGET', key, ARGV[at])
            if count then
                found = true
                total[at - 1] = total[at - 1] + tonumber(count)
            end
        end
        if not found and redis.call('EXISTS', key) == 0 then redis.call('SREM', KEYS[1], key) end
    end
end
return total
"""


def connect_presence(url: str) -> Redis:
    """Prepare a client for the Redis that knows who is here; nothing is opened until it is used."""
    return connect_redis(url, seconds=DEADLINE)


class Presence(Generic[K]):
    """Tells Redis of this process's streams in the background, and asks it for those of all.

    Whose they are is a user's id, or an address; `read` makes it of what Redis holds under `name`.
    """

    def __init__(self, redis: Redis, name: str, read: Callable[[str], K]) -> None:
        self._redis = redis
        self._read: Callable[[str], K] = read
        # the keys of all processes' hashes: looking for them would be a walk through all of Redis
        self._index = f"belfry:{name}s"
        self._key = f"belfry:{name}:{uuid4().hex}"
        self._streams: dict[K, int] = {}
        self._changed: set[K] = set()  # of whom Redis does not know yet what we know
        self._some = asyncio.Event()
        self._away = False
        self._task: asyncio.Task[None] | None = None
        self._elsewhere = redis.register_script(ELSEWHERE)
        self._others: Together[K, int] = Together(self._ask_elsewhere, default=0)

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name=self._index)
        return self

    async def __aexit__(self, *_: object) -> None:
        await end(self._task)
        with suppress(*FAILURES):  # it expires
            async with asyncio.timeout(DEADLINE):
                await self._redis.delete(self._key)

    def changed(self, who: K, streams: int) -> None:
        """Note how many streams somebody has open here; returns at once."""
        if streams:
            self._streams[who] = streams
        else:
            self._streams.pop(who, None)
        self._changed.add(who)
        self._some.set()

    async def elsewhere(self, who: K) -> int:
        """How many streams somebody has open in other processes, up to half a second old; 0 while Redis is away."""
        return 0 if self._away else await self._others.ask(who)

    async def streams(self) -> dict[K, int]:
        """The number of open streams of each who has any, over all processes.

        Raises:
            Unavailable: Redis does not say.
        """
        total: Counter[K] = Counter()
        try:
            async with asyncio.timeout(DEADLINE):
                keys: set[str] = await self._redis.smembers(self._index)  # type: ignore[misc]
                async with self._redis.pipeline(transaction=False) as pipeline:
                    for key in keys:
                        pipeline.hgetall(key)
                    for counts in await pipeline.execute():
                        total.update({self._read(who.decode()): int(streams) for who, streams in counts.items()})
        except FAILURES:
            raise Unavailable("Who is here cannot be said right now.") from None
        return dict(total)

    async def _ask_elsewhere(self, all_of: Sequence[K]) -> dict[K, int]:
        try:
            async with asyncio.timeout(DEADLINE):
                counts = await self._elsewhere(keys=[self._index], args=[self._key, *all_of])
        except FAILURES as error:
            log.warning("cannot count streams elsewhere; each process keeps to the cap", error=type(error).__name__)
            self._away = True  # until a write gets through: nobody else waits for it
            return {}
        return dict(zip(all_of, counts, strict=True))

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

    async def _send(self, batch: list[K]) -> bool:
        """Write these numbers; whether Redis still had those of the others.

        One transaction: of a process killed in the middle of it nothing may stay without an end.
        """
        here = {str(who): self._streams[who] for who in batch if who in self._streams}
        gone = [str(who) for who in batch if who not in self._streams]
        async with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.exists(self._key)
            if here:
                pipeline.hset(self._key, mapping=here)
            if gone:
                pipeline.hdel(self._key, *gone)
            pipeline.sadd(self._index, self._key)
            pipeline.expire(self._key, KEEP_SECONDS)
            was_there, *_ = await pipeline.execute()
            return bool(was_there)
