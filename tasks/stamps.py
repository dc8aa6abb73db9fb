"""The stamp "given to the server", put on a delivery just before its content is sent."""

import asyncio

from sqlalchemy.exc import SQLAlchemyError

from db import Database
from db.queries import deliveries
from db.queries.deliveries import Letter

__all__ = ["Stamps"]


class Stamps:
    """Stamps with one UPDATE what all connections are about to send: those who come while it runs share the next."""

    def __init__(self, db: Database, *, seconds: float) -> None:
        self._db = db
        self._seconds = seconds
        self._waiting: list[tuple[Letter, asyncio.Future[bool]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def hand_over(self, letter: Letter) -> bool:
        """Whether the letter is still ours; if so its lease holds for the time sending may take.

        Raises:
            SQLAlchemyError: PostgreSQL could not be asked, so nothing may be sent.
        """
        stamped: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((letter, stamped))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write(), name="stamps")
        return await stamped

    async def _write(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                await self._stamp([(letter, stamped) for letter, stamped in batch if not stamped.done()])
        finally:
            self._writer = None

    async def _stamp(self, batch: list[tuple[Letter, asyncio.Future[bool]]]) -> None:
        held = [(letter.id, letter.lease_token) for letter, _ in batch]
        try:
            async with self._db.statement() as tx:
                ours = await deliveries.hand_over(tx, held, seconds=self._seconds)
        except (SQLAlchemyError, OSError) as error:
            for _, stamped in batch:
                if not stamped.done():
                    stamped.set_exception(error)
        else:
            for letter, stamped in batch:
                if not stamped.done():
                    stamped.set_result(letter.id in ours)
