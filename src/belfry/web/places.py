"""How many streams each address has open in this process: one place must not take all that there is room for."""

from collections import Counter
from collections.abc import Callable

from belfry.accounts.throttle import Address, site
from belfry.errors import TooMany

__all__ = ["AGAIN_SECONDS", "Places", "full"]

AGAIN_SECONDS = 30


class Places:
    def __init__(self, most: int) -> None:
        self._most = most
        self._open: Counter[str] = Counter()

    def enter(self, address: Address | None) -> Callable[[], None]:
        """Count one more stream from an address, until what this returns is called. Raises `TooMany`.

        This machine's own address is that of a proxy on it, and so of everybody.
        """
        if self._most == 0 or address is None or address.is_loopback:
            return _nothing
        place = site(address)
        if self._open[place] >= self._most:
            detail = f"{place} has {self._most} streams open already."
            raise TooMany(detail, retry_after=AGAIN_SECONDS, headers=full("streams-address", self._most))
        self._open[place] += 1

        def leave() -> None:
            self._open[place] -= 1
            if not self._open[place]:
                del self._open[place]

        return leave


def full(policy: str, most: int) -> dict[str, str]:
    """What an answer says of a limit on what is open at a time, when that is reached."""
    return {"ratelimit-policy": f'"{policy}";q={most}', "ratelimit": f'"{policy}";r=0'}


def _nothing() -> None:
    pass
