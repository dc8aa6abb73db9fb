"""What this worker is doing, for whoever asks, and the news that mail has stopped or goes on."""

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from belfry.mail.smtp import Mailer
from belfry.mail.workers import Doing, Mail, WorkerState
from belfry.realtime import frames
from belfry.realtime.announce import Announcer
from belfry.realtime.frames import Alerted
from db import Database
from db.models import Role
from db.queries import users

__all__ = ["Status"]

RATE_SECONDS = 10.0  # mails a second are counted over about so long


class Status:
    def __init__(self, worker: str, mailer: Mailer, db: Database, announcer: Announcer) -> None:
        self._worker = worker
        self._mailer = mailer
        self._db = db
        self._announcer = announcer
        self._started_at = datetime.now(UTC)
        self._doing: dict[object, Doing] = {}
        self._sent: deque[tuple[float, int]] = deque()

    @contextmanager
    def doing(self, job: str) -> Iterator[None]:
        """Be seen at a job for the length of the block."""
        key = object()
        self._doing[key] = Doing(job, datetime.now(UTC))
        try:
            yield
        finally:
            del self._doing[key]

    def describe(self) -> WorkerState:
        breaker = self._mailer.breaker
        return WorkerState(
            name=self._worker,
            started_at=self._started_at,
            doing=list(self._doing.values()),
            sending=self._mailer.sending,
            rate=self._rate(),
            mail="working" if breaker.closed else "paused",
            reason=breaker.reason,
            mail_since=breaker.since,
        )

    async def tell(self, mail: Mail, reason: str | None) -> None:
        """Tell all admins who have a stream open.

        Raises:
            SQLAlchemyError: PostgreSQL does not say who they are.
        """
        async with self._db.statement() as tx:
            admins = await users.with_role(tx, Role.ADMIN)
        event = frames.queue(mail, reason)
        self._announcer.tell([Alerted(user_id, event) for user_id in admins])

    def _rate(self) -> float:
        now, sent = asyncio.get_running_loop().time(), self._mailer.sent
        self._sent.append((now, sent))
        while len(self._sent) > 1 and self._sent[1][0] <= now - RATE_SECONDS:
            self._sent.popleft()
        since, before = self._sent[0]
        return round((sent - before) / (now - since), 1) if now > since else 0.0
