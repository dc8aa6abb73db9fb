"""What every job may use."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from arq.connections import ArqRedis

from belfry.mail.letters import Letterhead
from belfry.mail.relay import Relay
from belfry.mail.smtp import Mailer
from belfry.realtime.announce import Announcer, connect_events
from belfry.sending.bell import QueueBell, connect_queue
from belfry.settings import Settings
from db import Database, connect
from tasks.ledger import Ledger
from tasks.stamps import Stamps

__all__ = ["Context", "open_context"]

BATCHES = 2  # at once: while the last mails of one are under way the next has begun


@dataclass(frozen=True)
class Context:
    settings: Settings
    db: Database
    redis: ArqRedis
    bell: QueueBell
    announcer: Announcer
    mailer: Mailer
    letterhead: Letterhead
    stamps: Stamps
    ledger: Ledger
    worker: str = field(default_factory=lambda: f"{socket.gethostname()}:{os.getpid()}")
    batches: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(BATCHES))


@asynccontextmanager
async def open_context(settings: Settings) -> AsyncIterator[Context]:
    db = connect(settings.database_url, pool_size=settings.database_pool)
    redis = connect_queue(settings.redis_url)
    pubsub = connect_events(settings.pubsub_url)
    mailer = Mailer(
        Relay.parse(settings.smtp_url),
        sender=settings.mail_from,
        connections=settings.smtp_connections,
        seconds=settings.send_seconds,
    )
    letterhead = Letterhead(mail_from=settings.mail_from, public_url=settings.public_url)
    try:
        async with QueueBell(redis) as bell, Announcer(pubsub) as announcer, Ledger(db) as ledger:
            stamps = Stamps(db, seconds=settings.send_seconds)
            yield Context(settings, db, redis, bell, announcer, mailer, letterhead, stamps, ledger)
    finally:
        await mailer.close()
        await redis.aclose()
        await pubsub.aclose()
        await db.close()
