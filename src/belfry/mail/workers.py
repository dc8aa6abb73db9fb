"""What the workers are doing, as they say it themselves: both ends of it.

Each keeps a key of its own in Redis, which expires soon unless it is written anew: one that died is not listed for
long, and nobody has to notice its death. Whichever first sees that mail has stopped, or goes on, tells it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Literal, Self
from uuid import uuid4

import msgspec
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from belfry.background import end
from belfry.errors import Unavailable
from belfry.redis_access import connect_redis
from belfry.undecodable import UNDECODABLE

__all__ = ["Doing", "Heartbeat", "Mail", "WorkerState", "connect_workers", "overall", "workers"]

log = structlog.get_logger()

LIST = "belfry:workers"
PREFIX = "belfry:worker:"
LAST_SAID = "belfry:mail"  # what was last told to everybody
KEEP_SECONDS = 5
REFRESH_SECONDS = 1.5
PAUSE = 0.1  # between two writes, however much changes
DEADLINE = 0.5
TELL_SECONDS = 2.0
FAILURES = (RedisError, OSError, TimeoutError)

Mail = Literal["working", "paused"]


class Doing(msgspec.Struct, frozen=True):
    """A job under way."""

    job: str
    since: datetime


class WorkerState(msgspec.Struct, frozen=True, kw_only=True):
    """One worker: its jobs, the mails it is sending and has sent a second lately, and why it does not, if so."""

    name: str
    started_at: datetime
    doing: list[Doing]
    sending: int
    rate: float
    mail: Mail
    reason: str | None
    mail_since: datetime


_decoder = msgspec.json.Decoder(WorkerState)


def connect_workers(url: str) -> Redis:
    """Prepare a client for the Redis that knows the workers; nothing is opened until it is used."""
    return connect_redis(url, seconds=DEADLINE)


async def workers(redis: Redis) -> list[WorkerState]:
    """Every worker that is alive, by name.

    Raises:
        Unavailable: Redis does not say.
    """
    try:
        async with asyncio.timeout(DEADLINE):
            return await _read(redis)
    except FAILURES:
        raise Unavailable("What the workers do cannot be said right now.") from None


async def _read(redis: Redis) -> list[WorkerState]:
    async with redis.pipeline(transaction=False) as pipeline:  # its commands are typed, those of the client are not
        pipeline.smembers(LIST)
        [names] = await pipeline.execute()
        if not names:
            return []
        found = dict(zip(names, await redis.mget([PREFIX + name.decode() for name in names]), strict=True))
        if dead := [name for name, state in found.items() if state is None]:
            pipeline.srem(LIST, *dead)
            await pipeline.execute()
    states = [_decode(state) for state in found.values() if state is not None]
    return sorted((state for state in states if state is not None), key=lambda state: state.name)


def _decode(raw: bytes) -> WorkerState | None:
    """None for what a worker of another version says, while one is replaced by the next."""
    try:
        return _decoder.decode(raw)
    except UNDECODABLE:
        return None


def overall(states: Sequence[WorkerState]) -> tuple[Mail, str | None]:
    """Whether mail goes out, and if some worker has stopped, why."""
    paused = next((state for state in states if state.mail == "paused"), None)
    return ("working", None) if paused is None else ("paused", paused.reason)


class Heartbeat:
    """Writes down what this worker does, in the background, and notices what all of them come to.

    `tell` is called with a change of the whole: paused, or working again. If it fails, it is called again later.
    """

    def __init__(
        self, redis: Redis, describe: Callable[[], WorkerState], tell: Callable[[Mail, str | None], Awaitable[None]]
    ) -> None:
        self._redis = redis
        self._describe = describe
        self._tell = tell
        self._id = uuid4().hex
        self._changed = asyncio.Event()
        self._away = False
        self._task: asyncio.Task[None] | None = None
        self.alive = 1
        """Workers alive at the last beat, this one among them."""

    def changed(self) -> None:
        """Write soon: something is different now."""
        self._changed.set()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name="heartbeat")
        return self

    async def __aexit__(self, *_: object) -> None:
        await end(self._task)
        with suppress(*FAILURES):  # it expires
            async with asyncio.timeout(DEADLINE), self._redis.pipeline(transaction=True) as pipeline:
                pipeline.delete(PREFIX + self._id)
                pipeline.srem(LIST, self._id)
                await pipeline.execute()

    async def _run(self) -> None:
        while True:
            self._changed.clear()
            await self._beat()
            await asyncio.sleep(PAUSE)
            with suppress(TimeoutError):
                async with asyncio.timeout(REFRESH_SECONDS):
                    await self._changed.wait()

    async def _beat(self) -> None:
        try:
            async with asyncio.timeout(DEADLINE):
                await self._write()
                states = await _read(self._redis)
                self.alive = max(1, len(states))
                said = await self._redis.get(LAST_SAID)
            await self._say(*overall(states), said)
        except (*FAILURES, SQLAlchemyError) as error:
            if not self._away:
                log.warning("cannot say what this worker does; will try again", error=type(error).__name__)
            self._away = True
        else:
            self._away = False

    async def _write(self) -> None:
        async with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.set(PREFIX + self._id, msgspec.json.encode(self._describe()), ex=KEEP_SECONDS)
            pipeline.sadd(LIST, self._id)
            await pipeline.execute()

    async def _say(self, mail: Mail, reason: str | None, said: bytes | None) -> None:
        """Tell what is new. Of workers that see it at the same moment, one does."""
        before = (said or b"working").decode()
        if before == mail:
            return
        async with asyncio.timeout(DEADLINE):
            if (await self._redis.getset(LAST_SAID, mail) or b"working").decode() == mail:
                return
        try:
            async with asyncio.timeout(TELL_SECONDS):
                await self._tell(mail, reason)
        except BaseException:
            async with asyncio.timeout(DEADLINE):
                await self._redis.set(LAST_SAID, before)
            raise
