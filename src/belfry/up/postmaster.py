"""The lock file of a PostgreSQL that was not stopped: who wrote it, and what to do about them."""

import asyncio
import os
import signal
from pathlib import Path

from belfry.up.kept import GLANCE, Say

PATIENCE = 10.0


async def stop_orphan(cluster: Path, *, say: Say) -> None:
    """Make `cluster` free to be started. The caller holds its lock: whoever still runs on it was left by a killed `up`.

    PostgreSQL clears away the lock file of a dead process by itself. It gives up when the number has since gone to
    another program, as it soon does in a container.
    """
    pid = _recorded(cluster)
    if pid is None or not _alive(pid):
        return
    if not _runs(pid, cluster):
        (cluster / "postmaster.pid").unlink(missing_ok=True)
        return
    say(f"Stopping a PostgreSQL (process {pid}) that was left running")
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        try:
            os.kill(pid, number)
            async with asyncio.timeout(PATIENCE):
                while _runs(pid, cluster):  # noqa: ASYNC110 - not our child, nothing else tells
                    await asyncio.sleep(GLANCE)
            return
        except ProcessLookupError:
            return
        except TimeoutError:
            continue


def _recorded(cluster: Path) -> int | None:
    try:
        return int((cluster / "postmaster.pid").read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _runs(pid: int, cluster: Path) -> bool:
    """Whether this process is a postmaster on this cluster. Without /proc, believe the file."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except FileNotFoundError:
        return not Path("/proc/self").exists() and _alive(pid)
    except ProcessLookupError:  # it ended while we read
        return False
    return words[1:3] == [b"-D", os.fsencode(cluster)]
