"""Telling senders how their broadcasts get on, while they do."""

import asyncio
import logging
from collections.abc import Iterable
from typing import Self

from sqlalchemy.exc import SQLAlchemyError

from belfry.background import end
from belfry.realtime import frames
from belfry.realtime.announce import Announcer
from belfry.realtime.frames import Alerted
from db import Database
from db.queries import broadcasts

__all__ = ["Progress"]

INTERVAL = 1.0

logger = logging.getLogger("belfry.progress")


class Progress:
    """Each broadcast that moved is told of about once a second, by whichever worker comes first.

    What is lost is not told again: `GET /v1/broadcasts/{id}` says the same at any time.
    """

    def __init__(self, db: Database, announcer: Announcer) -> None:
        self._db = db
        self._announcer = announcer
        self._moved: set[int] = set()
        self._some = asyncio.Event()
        self._teller: asyncio.Task[None] | None = None

    def moved(self, notification_ids: Iterable[int]) -> None:
        """Say that e-mails of these broadcasts were created or came to an end, and that this is committed."""
        self._moved.update(notification_ids)
        if self._moved:
            self._some.set()

    async def __aenter__(self) -> Self:
        self._teller = asyncio.create_task(self._tell(), name="progress")
        return self

    async def __aexit__(self, *_: object) -> None:
        await end(self._teller)

    async def _tell(self) -> None:
        while True:
            await self._some.wait()
            self._some.clear()
            moved, self._moved = self._moved, set()
            try:
                async with self._db.statement() as tx:
                    told, later = await broadcasts.take_turn(tx, moved)
            except (SQLAlchemyError, OSError) as error:
                logger.warning("cannot read how broadcasts get on (%s); again soon", type(error).__name__)
                told, later = [], moved
            self._announcer.tell(
                Alerted(sender_id, frames.progress(progress)) for sender_id, progress in told if sender_id is not None
            )
            self.moved(later)
            await asyncio.sleep(INTERVAL)
