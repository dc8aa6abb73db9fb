"""The letters a worker has in hand."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from time import monotonic
from typing import Any, NamedTuple, Self

__all__ = ["Hand"]

MOST_WAITING = 200  # letters; enough that no connection waits for a claim
HELD_SECONDS = 1.0  # about so much work waits in hand: what is claimed later waits for it, however urgent
CALL_SECONDS = 1.0  # a job costs a worker milliseconds, also one that finds it busy


class Claimed(NamedTuple):
    send: Callable[[], Coroutine[Any, Any, None]]
    give_back: Callable[[], None]


class Hand:
    """Says when to claim how many letters, and sends as many at once as there are connections.

    A worker has one, whatever the number of jobs that were rung for: whoever finds it `busy` need only `ring`. A spell
    of claiming (`async with`) lasts until all letters are sent, but no longer than `spell` seconds. Then what waits is
    given back, while its lease is still good. What is being sent goes on, whoever claims meanwhile.
    """

    def __init__(self, *, connections: int, spell: float) -> None:
        self.busy = self.rung = False
        self._connections = connections
        self._spell = spell
        self._full = connections
        self._counted_since = self._called_at = float("-inf")
        self._ended = 0
        self._finishing = self._closed = False
        self._waiting: deque[Claimed] = deque()
        self._sending: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()

    def ring(self) -> None:
        """Say that more may be due than was claimed."""
        self.rung = True
        self._changed.set()

    def others_wanted(self) -> bool:
        """Whether it is time to call other workers to what is more than a handful."""
        now = monotonic()
        if now - self._called_at < CALL_SECONDS:
            return False
        self._called_at = now
        return True

    def finish(self) -> None:
        """Claim no more, and give back what waits. What is being sent goes on."""
        self._finishing = True
        while self._waiting:
            self._waiting.popleft().give_back()
        self._changed.set()

    def close(self, *, within: float) -> None:
        """Finish, never begin again, and cut off what is still being sent after `within` seconds."""
        self._closed = True
        self.finish()
        asyncio.get_running_loop().call_later(within, self._cut_off)

    async def room(self) -> int:
        """Wait until letters should be claimed, and say how many. 0: nobody rang and all are sent, or it is enough."""
        while not self._finishing:
            if self.rung and self._runs_low():
                self.rung = False
                return self._full - len(self._waiting) + max(0, self._connections - len(self._sending))
            if not self.rung and not self._sending:
                break
            self._changed.clear()
            await self._changed.wait()
        return 0

    def take(self, send: Callable[[], Coroutine[Any, Any, None]], *, give_back: Callable[[], None]) -> None:
        """Send a letter that was claimed, or call `give_back`."""
        if self._finishing:
            give_back()
        else:
            self._waiting.append(Claimed(send, give_back))
            self._send_some()

    async def empty(self) -> None:
        """Wait until nothing is in hand."""
        while self._sending:
            await asyncio.wait(tuple(self._sending))

    async def __aenter__(self) -> Self:
        self.busy, self._finishing = True, self._closed
        self._enough = asyncio.get_running_loop().call_later(self._spell, self.finish)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._enough.cancel()
        self.finish()
        self.busy = False

    def _send_some(self) -> None:
        while self._waiting and len(self._sending) < self._connections:
            letter = asyncio.create_task(self._waiting.popleft().send())
            self._sending.add(letter)
            letter.add_done_callback(self._was_sent)

    def _was_sent(self, letter: "asyncio.Task[None]") -> None:
        self._sending.discard(letter)
        self._ended += 1
        self._send_some()
        if not self._sending or (self.rung and len(self._waiting) <= self._full // 2):
            self._changed.set()

    def _runs_low(self) -> bool:
        now = monotonic()
        if (elapsed := now - self._counted_since) >= HELD_SECONDS:
            sent = round(self._ended / elapsed * HELD_SECONDS)
            self._full = max(self._connections, min(sent, MOST_WAITING))  # one a connection at least
            self._counted_since, self._ended = now, 0
        return len(self._waiting) <= self._full // 2

    def _cut_off(self) -> None:
        for letter in self._sending:
            letter.cancel()
