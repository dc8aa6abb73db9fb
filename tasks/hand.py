"""The letters a worker has in hand."""

import asyncio
from collections.abc import Coroutine
from time import monotonic
from types import TracebackType
from typing import Any, Self

__all__ = ["Hand"]

FULL = 200  # letters; enough that no connection waits for a claim
WORTH_A_CLAIM = 100
SPELL_SECONDS = 30.0  # well below the time a job may take
CALL_SECONDS = 1.0  # a job costs a worker milliseconds, also one that finds it busy


class Hand:
    """Says when to claim how many letters: the next while those before them are under way.

    A worker has one, whatever the number of jobs that were rung for: whoever finds it `busy` need only `ring`. It is
    left when all letters are sent; if cancelled, they are, and have come to an end before it is left.
    """

    def __init__(self) -> None:
        self.busy = False
        self.rung = False
        self._finishing = self._closed = False
        self._letters: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._called_at = float("-inf")

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
        """Claim no more. What is in hand is still sent."""
        self._finishing = True
        self._changed.set()

    def close(self) -> None:
        """Finish, and never begin again."""
        self._closed = True
        self.finish()

    async def room(self) -> int:
        """Wait until letters should be claimed, and say how many. 0: nobody rang and all are sent, or it is enough."""
        while True:
            if self._finishing or self._closed:
                return 0
            if self.rung and len(self._letters) <= FULL - WORTH_A_CLAIM:
                self.rung = False
                return FULL - len(self._letters)
            if not self.rung and not self._letters:
                return 0
            await self._change()

    def take(self, sending: Coroutine[Any, Any, None]) -> None:
        """Begin to send a letter that was claimed."""
        letter = asyncio.create_task(sending)
        self._letters.add(letter)
        letter.add_done_callback(self._sent)

    async def __aenter__(self) -> Self:
        self.busy, self._finishing = True, False
        self._enough = asyncio.get_running_loop().call_later(SPELL_SECONDS, self.finish)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._enough.cancel()
        try:
            while self._letters and not isinstance(error, asyncio.CancelledError):
                await self._change()
        finally:
            if letters := tuple(self._letters):
                for letter in letters:
                    letter.cancel()
                await asyncio.wait(letters)
            self.busy = False

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    def _sent(self, letter: "asyncio.Task[None]") -> None:
        self._letters.discard(letter)
        if len(self._letters) <= FULL - WORTH_A_CLAIM:
            self._changed.set()
