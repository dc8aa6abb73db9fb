"""The send queue at a glance: how long it is, and who works on it."""

from typing import Literal

import msgspec
from redis.asyncio import Redis

from belfry.errors import Unavailable
from belfry.mail.workers import WorkerState, overall, workers
from db import Database
from db.models import DeliveryStatus
from db.queries import queue

__all__ = ["MailState", "Queue", "Sending", "look", "sending"]

MailState = Literal["working", "paused", "no workers", "unknown"]


class Sending(msgspec.Struct, frozen=True):
    """Whether mail goes out, why not, and who sends it. While Redis is away nobody knows."""

    mail: MailState
    reason: str | None
    workers: list[WorkerState]


class Queue(msgspec.Struct, frozen=True):
    """`counts` are deliveries by state; in a large queue those of `estimated` are right to within some percent.

    `oldest_due_seconds`: for how long the first e-mail that is due has been so. `rate`: mails a second, of all workers.
    """

    counts: dict[DeliveryStatus, int]
    estimated: list[DeliveryStatus]
    oldest_due_seconds: float | None
    rate: float
    mail: MailState
    reason: str | None
    workers: list[WorkerState]


async def look(db: Database, redis: Redis) -> Queue:
    """The queue as of now. Raises what asking PostgreSQL raises."""
    async with db.statement() as tx:
        length = await queue.length(tx)
    now = await sending(redis)
    return Queue(
        counts=length.counts,
        estimated=length.estimated,
        oldest_due_seconds=length.oldest_due,
        rate=round(sum(worker.rate for worker in now.workers), 1),
        mail=now.mail,
        reason=now.reason,
        workers=now.workers,
    )


async def sending(redis: Redis) -> Sending:
    try:
        states = await workers(redis)
    except Unavailable:
        return Sending("unknown", None, [])
    return Sending(*overall(states), states) if states else Sending("no workers", None, [])
