"""Asking once for many who ask at the same moment."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Together(Generic[K, V]):
    """Answers keys in batches: those that come while one batch is under way share the next.

    Under load one statement serves many requests; alone, a key is asked for at once. `answer` returns what it found;
    a key it left out gets `default`.
    """

    def __init__(self, answer: Callable[[Sequence[K]], Awaitable[dict[K, V]]], *, default: V) -> None:
        self._answer = answer
        self._default = default
        self._waiting: dict[K, asyncio.Future[V]] = {}
        self._asking: asyncio.Task[None] | None = None

    async def ask(self, key: K) -> V:
        """The answer to one key. Raises what answering its batch raised."""
        future = self._waiting.get(key)
        if future is None:
            future = self._waiting[key] = asyncio.get_running_loop().create_future()
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask())
        return await asyncio.shield(future)  # others may wait for the same key

    async def _ask(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, {}
                await self._settle(batch)
        finally:
            self._asking = None

    async def _settle(self, batch: dict[K, asyncio.Future[V]]) -> None:
        try:
            found = await self._answer(list(batch))
        except Exception as error:
            for future in batch.values():
                future.set_exception(error)
                future.exception()  # whoever asked may have gone
        else:
            for key, future in batch.items():
                future.set_result(found.get(key, self._default))
