"""Writing down what came of letters, many at a time."""

import asyncio
import logging
from contextlib import suppress
from typing import Self

from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError

from belfry.background import end
from belfry.sending.bell import QueueBell
from db import Database
from db.queries import deliveries
from db.queries.deliveries import Outcome, Result
from tasks.progress import Progress

__all__ = ["Ledger"]

INTERVAL = 0.1
ENOUGH = 100
LONGEST_PAUSE = 5.0
CLOSING_SECONDS = 5.0

DUE_AGAIN = (Result.UNTRIED, Result.RELAY_DOWN)

logger = logging.getLogger("belfry.ledger")


class Ledger:
    """Settles outcomes every 100 ms, or when there are 100, or when asked to.

    While PostgreSQL is away they wait here: that a mail was accepted is true however late it is recorded. For letters
    that were given back it rings: until they are recorded nobody could have claimed them.
    """

    def __init__(self, db: Database, progress: Progress, bell: QueueBell) -> None:
        self._db = db
        self._progress = progress
        self._bell = bell
        self._outcomes: list[Outcome] = []
        self._some = asyncio.Event()
        self._now = asyncio.Event()
        self._written = asyncio.Condition()
        self._recorded = 0
        self._settled = 0
        self._writer: asyncio.Task[None] | None = None

    def record(self, outcome: Outcome) -> None:
        self._outcomes.append(outcome)
        self._recorded += 1
        self._some.set()
        if len(self._outcomes) >= ENOUGH:
            self._now.set()

    async def settled(self) -> None:
        """Wait until everything recorded so far is committed."""
        upto = self._recorded
        self._now.set()
        async with self._written:
            await self._written.wait_for(lambda: self._settled >= upto)

    async def __aenter__(self) -> Self:
        self._writer = asyncio.create_task(self._write(), name="ledger")
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            async with asyncio.timeout(CLOSING_SECONDS):
                await self.settled()
        except TimeoutError:
            logger.error("%d outcomes could not be recorded; their leases will run out", self._recorded - self._settled)
        await end(self._writer)

    async def _write(self) -> None:
        while True:
            await self._some.wait()
            with suppress(TimeoutError):
                async with asyncio.timeout(INTERVAL):
                    await self._now.wait()
            self._some.clear()
            self._now.clear()
            outcomes, self._outcomes = self._outcomes, []
            await self._settle(outcomes)
            self._settled += len(outcomes)
            self._progress.moved({each.broadcast_id for each in outcomes if each.broadcast_id is not None})
            if any(each.result in DUE_AGAIN for each in outcomes):
                self._bell.ring()
            async with self._written:
                self._written.notify_all()

    async def _settle(self, outcomes: list[Outcome]) -> None:
        pause = INTERVAL
        while True:
            try:
                async with self._db.statement() as tx:
                    await deliveries.settle(tx, outcomes)
                return
            except (DataError, IntegrityError):  # the same statement will fail the same way again
                if len(outcomes) > 1:
                    break
                logger.exception("could not record the outcome of delivery %d; its lease will run out", outcomes[0].id)
                return
            except (SQLAlchemyError, OSError) as error:
                logger.warning(
                    "PostgreSQL cannot record %d outcomes (%s); again soon", len(outcomes), type(error).__name__
                )
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
        for outcome in outcomes:  # one that PostgreSQL will never take must not keep the others back
            await self._settle([outcome])
