"""Argon2id, on threads of its own so that logins never hold up a stream."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST = 8
LONGEST = 256

# OWASP's first recommendation for Argon2id (RFC 9106): 46 MiB, one pass, one lane; about 40 ms of one core.
MEMORY_KIB = 47_104
PASSES = 1
LANES = 1

# Each hash holds its 46 MiB and a core while it runs; a login storm waits here instead of taking the machine.
AT_ONCE = 2


class Passwords:
    """Hashes and checks passwords, at most `AT_ONCE` at a time; further callers wait without blocking the loop."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(PASSES, MEMORY_KIB, LANES, type=Type.ID)
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="argon2")
        self._nobody: str | None = None

    async def hash(self, password: str) -> str:
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._hasher.hash, password)

    async def check(self, password: str, password_hash: str | None) -> bool:
        """Whether the password fits. Without a hash - no such user - it costs the same time and is False."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._check, password, password_hash)

    def outdated(self, password_hash: str) -> bool:
        """Whether a hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(password_hash)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _check(self, password: str, password_hash: str | None) -> bool:
        if self._nobody is None:
            self._nobody = self._hasher.hash("nobody has this password")
        try:
            self._hasher.verify(password_hash or self._nobody, password)
        except (VerificationError, InvalidHashError):
            return False
        return password_hash is not None
