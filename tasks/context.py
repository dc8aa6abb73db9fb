"""What every job may use."""

import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from arq.connections import ArqRedis

from belfry.accounts.links import OneTimeLinks
from belfry.mail.breaker import Breaker
from belfry.mail.letters import Letterhead
from belfry.mail.pace import Pace
from belfry.mail.relay import Relay
from belfry.mail.smtp import Mailer
from belfry.mail.unsubscribe import UnsubscribeLinks
from belfry.mail.workers import Heartbeat, connect_workers
from belfry.realtime.announce import Announcer, connect_events
from belfry.sending.bell import QueueBell, connect_queue
from belfry.settings import Settings
from db import Database, connect
from tasks.hand import Hand
from tasks.ledger import Ledger
from tasks.progress import Progress
from tasks.stamps import Stamps
from tasks.status import Status

__all__ = ["Context", "open_context"]

SPELL = 0.25  # of its lease a letter may spend in hand before it is begun
TURN_SECONDS = 2.0  # a mail waits so long for its turn: whoever is claimed later, though more urgent, comes after it


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
    progress: Progress
    ledger: Ledger
    status: Status
    worker: str
    hand: Hand


@asynccontextmanager
async def open_context(settings: Settings) -> AsyncIterator[Context]:
    db = connect(settings.database_url, pool_size=settings.database_pool)
    redis = connect_queue(settings.redis_url)
    pubsub = connect_events(settings.pubsub_url)
    whereabouts = connect_workers(settings.redis_url)
    relay = Relay.parse(settings.smtp_url)
    pace = None
    if settings.smtp_rate > 0:
        pace = Pace(
            whereabouts,
            server=f"{relay.host}:{relay.port}",
            rate=settings.smtp_rate,
            longest_wait=TURN_SECONDS,
            share=lambda: heartbeat.alive,
        )
    mailer = Mailer(
        relay,
        sender=settings.mail_from,
        seconds=settings.send_seconds,
        breaker=Breaker(changed=lambda: heartbeat.changed()),
        pace=pace,
    )
    links = UnsubscribeLinks(settings.secret_key, public_url=settings.public_url, old_key=settings.secret_key_old)
    one_time = OneTimeLinks(settings.secret_key, old_key=settings.secret_key_old)
    letterhead = Letterhead(
        mail_from=settings.mail_from, public_url=settings.public_url, links=links, one_time=one_time
    )
    worker = f"{socket.gethostname()}:{os.getpid()}"
    announcer = Announcer(pubsub)
    status = Status(worker, mailer, db, announcer)
    heartbeat = Heartbeat(whereabouts, status.describe, status.tell)
    try:
        async with (
            QueueBell(redis) as bell,
            announcer,
            Progress(db, announcer) as progress,
            Ledger(db, progress, bell) as ledger,
            heartbeat,
        ):
            stamps = Stamps(db, seconds=settings.send_seconds)
            hand = Hand(connections=settings.smtp_connections, spell=settings.lease_seconds * SPELL)
            context = Context(
                settings,
                db,
                redis,
                bell,
                announcer,
                mailer,
                letterhead,
                stamps,
                progress,
                ledger,
                status,
                worker,
                hand,
            )
            try:
                yield context
            finally:
                hand.close(within=0)
                await hand.empty()
    finally:
        await mailer.close()
        for each in (redis, pubsub, whereabouts):
            await each.aclose()
        await db.close()
