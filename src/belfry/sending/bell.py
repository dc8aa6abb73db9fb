"""Telling the workers that something is due: the names of the jobs, their encoding, and the bell itself.

Everything here is best effort. A ring that is lost costs at most one sweep.
"""

import asyncio
import logging
import math
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated, Any, Self

import msgspec
from arq.connections import ArqRedis
from msgspec import Meta
from redis.asyncio import BlockingConnectionPool
from redis.asyncio.client import Pipeline
from redis.exceptions import RedisError

from belfry.undecodable import UNDECODABLE

__all__ = [
    "ARRIVE",
    "BROADCAST",
    "DISCARD",
    "EXPAND",
    "QUEUE",
    "RETIRE",
    "RUN_SCHEDULES",
    "SEND_DUE",
    "SWEEP",
    "QueueBell",
    "connect_queue",
    "decode_job",
    "encode_job",
]

QUEUE = "belfry:queue"
SEND_DUE = "send_due"
EXPAND = "expand"
ARRIVE = "arrive"
SWEEP = "sweep"
RETIRE = "retire"
RUN_SCHEDULES = "run_schedules"
BROADCAST = "broadcast"  # public: any program that reaches Redis may enqueue it
DISCARD = "discard"

INTERVAL = 0.02  # between two rings of one process, whatever the traffic
DEADLINE = 0.3  # a frozen Redis keeps the ringer busy this long, and no caller at all
AGAIN = 1.0  # seconds after which a ring that failed is tried once more, and again
ENOUGH = 100  # jobs waiting: one more ring would tell nobody anything, unless they are what killed workers left
MOST = 1000  # more are not added, however long no worker runs
AHEAD = 120.0  # seconds; a sweep, which comes every minute at least, will ring for what arrives later than that
MOST_CONNECTIONS = 200  # more than are used: while some wait for one, redis-py loses what a cancelled user gives back
TICKS = 10  # a second; what arrives within the same tenth of one shares a ring

logger = logging.getLogger("belfry.bell")


class Job(msgspec.Struct, forbid_unknown_fields=True):
    """What arq puts into Redis, and nothing else: arq's default is pickle, which runs what it reads."""

    t: int | None
    f: str
    a: list[Any]
    k: dict[str, Any]
    et: int


NO_ARGUMENTS = Annotated[list[Any], Meta(max_length=0)]
NO_NAMED = Annotated[dict[str, Any], Meta(max_length=0)]
ARGUMENTS: dict[str, Any] = {
    SEND_DUE: NO_ARGUMENTS,
    EXPAND: tuple[Annotated[int, Meta(ge=1)]],
    ARRIVE: NO_ARGUMENTS,
    SWEEP: NO_ARGUMENTS,
    RETIRE: NO_ARGUMENTS,
    RUN_SCHEDULES: NO_ARGUMENTS,
}
"""What each job is given. `broadcast` is not here: it comes from others, who are told what is wrong with it."""

_decoder = msgspec.json.Decoder(Job)


def encode_job(job: dict[str, Any]) -> bytes:
    return msgspec.json.encode(job)


def decode_job(raw: bytes) -> dict[str, Any]:
    """What to run. What is not a job of ours becomes `DISCARD`, a name that cannot be sent here from outside."""
    try:
        job = _decoder.decode(raw)
        if job.f != BROADCAST:
            msgspec.convert(job.a, ARGUMENTS[job.f])
            msgspec.convert(job.k, NO_NAMED)
    except (*UNDECODABLE, KeyError):
        job = Job(None, DISCARD, [], {}, 0)
    return msgspec.structs.asdict(job)


class QueuePipeline(Pipeline):
    """Commands sent together, which give their connection back whatever happens.

    redis-py keeps it out of the pool for ever, and open, when the UNWATCH at the end of one is cancelled or times out.
    """

    async def reset(self) -> None:
        try:
            if self.connection is None or self.connection.is_connected:
                await super().reset()  # type: ignore[no-untyped-call]
        finally:
            if self.connection is not None:
                await self.connection.disconnect(nowait=True)
                self.watching = False  # by a connection that has ended
                await super().reset()  # type: ignore[no-untyped-call]


class QueueRedis(ArqRedis):
    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> QueuePipeline:
        return QueuePipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)


def connect_queue(url: str, *, timeout: float = 5.0) -> QueueRedis:
    """Prepare a client for `redis://`, `rediss://` or `unix:///path?db=0`; nothing is opened until it is used."""
    pool = BlockingConnectionPool.from_url(
        url, max_connections=MOST_CONNECTIONS, timeout=timeout, socket_timeout=timeout, socket_connect_timeout=timeout
    )
    redis = QueueRedis(pool, job_serializer=encode_job, job_deserializer=decode_job, default_queue_name=QUEUE)
    redis.auto_close_connection_pool = True
    return redis


class QueueBell:
    """Rings the workers after a commit. `ring` returns at once and never fails."""

    def __init__(self, redis: ArqRedis) -> None:
        self._redis = redis
        self._due = False
        self._expansions: set[int] = set()
        self._arrivals: set[int] = set()
        self._rung = asyncio.Event()
        self._ringer: asyncio.Task[None] | None = None
        self._later: dict[int, asyncio.TimerHandle] = {}
        self._closing = False
        self._away = False

    def ring(self) -> None:
        """Say that an e-mail is due."""
        self._due = True
        self._rung.set()

    def ring_expand(self, notification_id: int) -> None:
        """Say that a broadcast is waiting for its e-mails to be created."""
        self._expansions.add(notification_id)
        self._rung.set()

    def ring_at(self, when: datetime) -> None:
        """Say that something scheduled will arrive at a moment to come."""
        if (when - datetime.now(UTC)).total_seconds() < AHEAD:
            self._arrivals.add(math.ceil(when.timestamp() * TICKS))
            self._rung.set()

    def ring_in(self, seconds: float) -> None:
        """Ring after a while. What is further ahead than `AHEAD` is left to the sweeps."""
        loop = asyncio.get_running_loop()
        tick = math.ceil((loop.time() + seconds) * TICKS)
        if seconds < AHEAD and tick not in self._later:
            self._later[tick] = loop.call_at(tick / TICKS, self._ring_at_tick, tick)

    def _ring_at_tick(self, tick: int) -> None:
        del self._later[tick]
        self.ring()

    async def __aenter__(self) -> Self:
        self._ringer = asyncio.create_task(self._run(), name="bell")
        return self

    async def __aexit__(self, *_: object) -> None:
        for timer in self._later.values():
            timer.cancel()
        # Let it end by itself: redis-py can lose a cancellation, and the last ring should not wait for a sweep.
        self._closing = True
        self._rung.set()
        if self._ringer is not None:
            await self._ringer

    async def _run(self) -> None:
        while not self._closing:
            with suppress(TimeoutError):
                async with asyncio.timeout(AGAIN if self._away else None):
                    await self._rung.wait()
            await self._ring_once()
            if not self._closing:
                await asyncio.sleep(INTERVAL)
        if self._rung.is_set():
            await self._ring_once()

    async def _ring_due(self) -> None:
        waiting = await self._redis.zcount(QUEUE, 0, (time.time() + 1) * 1000)
        if waiting < ENOUGH:
            await self._redis.enqueue_job(SEND_DUE)
        elif waiting < MOST:
            await self._enqueue_shared(SEND_DUE, math.ceil((time.time() + DEADLINE) * TICKS))

    async def _enqueue_shared(self, job: str, tick: int) -> None:
        """Have a job run at a tenth of a second, once for all processes that ask for it.

        One that runs already may have looked for the last time, and while it runs arq takes no other of its name. So
        what may arrive in Redis after that moment gets a job of its own.
        """
        at = tick / TICKS
        shared = f"{job}:{tick}" if at - time.time() > DEADLINE else None
        await self._redis.enqueue_job(job, _job_id=shared, _defer_until=datetime.fromtimestamp(at, UTC))

    async def _ring_once(self) -> None:
        self._rung.clear()
        due, self._due = self._due, False
        expansions, self._expansions = self._expansions, set()
        arrivals, self._arrivals = self._arrivals, set()
        try:
            async with asyncio.timeout(DEADLINE):
                if due:
                    await self._ring_due()
                for notification_id in expansions:
                    await self._redis.enqueue_job(EXPAND, notification_id)
                for tick in arrivals:
                    await self._enqueue_shared(ARRIVE, tick)
        except (RedisError, OSError) as error:  # TimeoutError is an OSError
            if not self._away:
                logger.warning("cannot ring the workers (%s); will try again", type(error).__name__)
            self._away = True
            self._due |= due
            self._expansions |= expansions
            self._arrivals |= arrivals
        else:
            self._away = False
