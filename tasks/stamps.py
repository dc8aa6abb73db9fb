"""The stamp "given to the server", put on a delivery just before its content is sent."""

from collections.abc import Sequence
from uuid import UUID

from belfry.together import Together
from db import Database
from db.queries import deliveries
from db.queries.deliveries import Letter

__all__ = ["Stamps"]


class Stamps:
    """Stamps with one UPDATE what all connections are about to send: those who come while it runs share the next."""

    def __init__(self, db: Database, *, seconds: float) -> None:
        self._db = db
        self._seconds = seconds
        self._stamped: Together[tuple[int, UUID], bool] = Together(self._stamp, default=False)

    async def hand_over(self, letter: Letter) -> bool:
        """Whether the letter is still ours; if so its lease holds for the time sending may take.

        Raises:
            SQLAlchemyError: PostgreSQL could not be asked, so nothing may be sent.
        """
        return await self._stamped.ask((letter.id, letter.lease_token))

    async def _stamp(self, held: Sequence[tuple[int, UUID]]) -> dict[tuple[int, UUID], bool]:
        async with self._db.statement() as tx:
            ours = await deliveries.hand_over(tx, held, seconds=self._seconds)
        return {key: key[0] in ours for key in held}
