"""Private directories for Unix sockets: short (a socket's path ends at 107 bytes), without spaces, for one account."""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from belfry.up.owner import Owner

PLACE = Path("/tmp")  # noqa: S108 - mkdtemp makes the name; XDG_RUNTIME_DIR would vanish when the user logs out
PREFIX = "belfry-up-"


@contextmanager
def directory(owner: Owner | None = None) -> Iterator[Path]:
    """A directory of mode 0700, there until the block ends or until a later call finds that its maker was killed."""
    sweep(owner)
    path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=PLACE))
    claim = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(claim, fcntl.LOCK_EX)
        if owner:
            owner.give(path)
        yield path
    finally:
        os.close(claim)
        shutil.rmtree(path, ignore_errors=True)


def sweep(owner: Owner | None) -> None:
    """Remove the directories that killed processes left. Who is alive holds a lock on theirs.

    Not the youngest: it may just have been made, and its maker about to lock it.
    """
    mine = {os.geteuid(), owner.uid if owner else os.geteuid()}
    for path in PLACE.glob(PREFIX + "*"):
        with suppress(OSError):  # somebody else's, or gone meanwhile
            found = path.lstat()
            if found.st_uid not in mine or path.is_symlink() or time.time() - found.st_mtime < 10:
                continue
            claim = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
            try:
                fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path, ignore_errors=True)
            finally:
                os.close(claim)
