"""How many streams each address has open, over all web processes: one place must not take all that there is room for.

Most addresses have a few. Redis is told only of those that have many in one process, and asked only for those.
"""

from collections import Counter
from collections.abc import Callable

from belfry.accounts.throttle import Address, site
from belfry.errors import TooMany
from belfry.realtime.presence import Presence

__all__ = ["AGAIN_SECONDS", "Places", "full"]

AGAIN_SECONDS = 30
FEW = 40  # a process keeps to itself where fewer streams are from than one in so many of the limit


class Places:
    """`most` streams an address; 0 for no limit. Without Redis each process keeps the limit by itself."""

    def __init__(self, most: int, shared: Presence[str]) -> None:
        self._most = most
        self._few = most // FEW
        self._shared = shared
        self._open: Counter[str] = Counter()

    async def elsewhere(self, address: Address | None) -> int:
        """How many streams an address has open in other processes, as far as they said; 0 if it has only a few here."""
        place = self._place(address)
        return 0 if place is None or self._open[place] < self._few else await self._shared.elsewhere(place)

    def enter(self, address: Address | None, *, elsewhere: int) -> Callable[[], None]:
        """Count one more stream from an address, until what this returns is called. Raises `TooMany`."""
        place = self._place(address)
        if place is None:
            return _nothing
        if self._open[place] + elsewhere >= self._most:
            detail = f"{place} has {self._most} streams open already."
            raise TooMany(detail, retry_after=AGAIN_SECONDS, headers=full("streams-address", self._most))
        self._changed(place, self._open[place] + 1)

        def leave() -> None:
            self._changed(place, self._open[place] - 1)

        return leave

    def _place(self, address: Address | None) -> str | None:
        """What shares a limit. This machine's own address is that of a proxy on it, and so of everybody."""
        return None if self._most == 0 or address is None or address.is_loopback else site(address)

    def _changed(self, place: str, streams: int) -> None:
        before = self._open[place]
        self._open[place] = streams
        if not streams:
            del self._open[place]
        if max(before, streams) > self._few:
            self._shared.changed(place, streams if streams > self._few else 0)


def full(policy: str, most: int) -> dict[str, str]:
    """What an answer says of a limit on what is open at a time, when that is reached."""
    return {"ratelimit-policy": f'"{policy}";q={most}', "ratelimit": f'"{policy}";r=0'}


def _nothing() -> None:
    pass
