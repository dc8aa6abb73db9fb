"""Locks that the kernel lets go of when their holder dies, so that none can be stale."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Taken(Exception):
    """Somebody else holds the lock. `holder` is their process id, or empty if they have not written it yet."""

    def __init__(self, path: Path, holder: str) -> None:
        super().__init__(f"{path} is held by process {holder or 'unknown'}")
        self.holder = holder


@contextmanager
def held(path: Path) -> Iterator[bool]:
    """Hold `path` (made if missing, never removed: a removed lock could be held twice).

    Yields whether the last holder was killed: who leaves in order wipes the number they wrote into it.

    Raises:
        Taken: another process, or another caller in this one, holds it.
    """
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Taken(path, os.read(file, 20).decode().strip()) from None
        killed = os.fstat(file).st_size > 0
        os.truncate(file, 0)
        os.write(file, f"{os.getpid()}\n".encode())
        try:
            yield killed
        finally:
            os.truncate(file, 0)
    finally:
        os.close(file)
