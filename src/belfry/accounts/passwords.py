"""Argon2id, on threads of its own so that logins never hold up a stream."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from belfry.errors import Unavailable

SHORTEST = 8
LONGEST = 256

# OWASP's first recommendation for Argon2id (RFC 9106): 46 MiB, one pass, one lane; about 40 ms of one core.
MEMORY_KIB = 47_104
PASSES = 1
LANES = 1

# What a password is checked against where there is no account: verifying it costs what any other does.
NOBODY = f"$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${'A' * 22}${'A' * 43}"

# Each hash holds its 46 MiB and a core while it runs; a login storm waits here instead of taking the machine.
AT_ONCE = 2
MOST_WAITING = 250  # about five seconds of work; who comes then is told so instead of being kept


T = TypeVar("T")


class Passwords:
    """Hashes and checks passwords, at most `AT_ONCE` at a time; further callers wait without blocking the loop.

    `runs` counts how often Argon2 ran, `running` how often it does now. Raises `Unavailable` when too many wait.
    """

    def __init__(self) -> None:
        self.runs = self.running = 0
        self._hasher = PasswordHasher(PASSES, MEMORY_KIB, LANES, type=Type.ID)
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="argon2")
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def hash(self, password: str) -> str:
        async with self._turn():
            return await self._run(lambda: self._hasher.hash(password))

    async def check(
        self, password: str, password_hash: str | None, *, first: Callable[[], Awaitable[object]] | None = None
    ) -> bool:
        """Whether the password fits. Without a hash - no such user - it costs the same time and is False.

        `first` is awaited when the turn has come, and may raise.
        """
        async with self._turn():
            if first is not None:
                await first()
            return await self._run(lambda: self._check(password, password_hash))

    def outdated(self, password_hash: str) -> bool:
        """Whether a hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(password_hash)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        if self._waiting >= MOST_WAITING:
            raise Unavailable("Too many people are logging in at this moment.", retry_after=5)
        self._waiting += 1
        try:
            await self._turns.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._turns.release()

    async def _run(self, work: Callable[[], T]) -> T:
        self.runs += 1
        self.running += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self.running -= 1

    def _check(self, password: str, password_hash: str | None) -> bool:
        try:
            self._hasher.verify(password_hash or NOBODY, password)
        except (VerificationError, InvalidHashError):
            return False
        return password_hash is not None
