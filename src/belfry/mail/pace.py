"""A limit of mails a second that holds over all workers.

A mail's turn is reserved before it is waited for. Without Redis each worker keeps to its share.
"""

import asyncio
from collections.abc import Callable

from redis.asyncio import Redis

from belfry.rates import Limit, Rates

__all__ = ["NotNow", "Pace"]

KEY = "belfry:pace:"
BURST_SECONDS = 0.1  # so much of a second's mails may go at once, or late wake-ups would cost turns


class NotNow(Exception):
    """The next turn is too far away."""


class Pace:
    """`rate` mails a second to the server called `server`; `share` is how many workers there are."""

    def __init__(
        self, redis: Redis, *, server: str, rate: float, longest_wait: float, share: Callable[[], int]
    ) -> None:
        self._key = KEY + server
        self._rates = Rates(redis)
        self._rate = rate
        self._longest = longest_wait
        self._share = share
        self._not_before = 0.0

    @property
    def pause(self) -> float:
        """Seconds in which nobody's turn will come; 0 if it may."""
        return max(0.0, self._not_before - asyncio.get_running_loop().time())

    @property
    def appetite(self) -> int:
        """Mails it makes sense to take at a time: more would wait for their turn longer than they may."""
        return max(1, int(self._rate * self._longest))

    async def turn(self) -> None:
        """Wait for a mail's turn.

        Raises:
            NotNow: it would take too long; the turn is somebody else's.
        """
        ours = self._limit(self._rate / max(1, self._share()))
        [standing] = await self._rates.take([self._limit(self._rate)], alone=[ours])
        if standing.wait > self._longest:
            self._not_before = asyncio.get_running_loop().time() + standing.wait - self._longest
            raise NotNow
        if standing.wait > 0:
            await asyncio.sleep(standing.wait)

    def _limit(self, rate: float) -> Limit:
        """A mail may be early by what is left of the burst: the first of a burst are."""
        return Limit(self._key, 1 / rate, max(0.0, BURST_SECONDS - 1 / rate), self._longest)
