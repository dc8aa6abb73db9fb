"""What tests of processes need to see: what was said, who runs, who is gone."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path


class Said:
    """A `say` that remembers, and can be waited on."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._changed = asyncio.Event()

    def __call__(self, line: str) -> None:
        self.lines.append(line)
        self._changed.set()

    async def line(self, part: str, *, within: float = 15) -> str:
        """The first line that contains `part`, now or as soon as it is said."""
        async with asyncio.timeout(within):
            while True:
                for line in self.lines:
                    if part in line:
                        return line
                self._changed.clear()
                await self._changed.wait()


async def gone(pid: int, *, within: float = 10) -> None:
    """Return when the process has ended; TimeoutError if it has not in time."""
    try:
        file = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(file, ended.set)
    try:
        async with asyncio.timeout(within):
            await ended.wait()
    finally:
        loop.remove_reader(file)
        os.close(file)


def children(pid: int) -> dict[int, str]:
    """The processes that this one started, and theirs: number and command line."""
    found: dict[int, str] = {}
    parents = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(path.name)] = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            found[int(path.name)] = (path / "cmdline").read_text(errors="replace").replace("\0", " ").strip()
        except (FileNotFoundError, ProcessLookupError):
            continue
    ours = {pid}
    while more := {child for child, parent in parents.items() if parent in ours} - ours:
        ours |= more
    return {child: found[child] for child in ours - {pid} if child in found}


@contextmanager
def passable_directory() -> Iterator[Path]:
    """A directory with a space in its path that every account can pass through, as pytest's own cannot."""
    top = Path(tempfile.mkdtemp(prefix="belfry test "))
    top.chmod(0o755)
    try:
        yield top
    finally:
        shutil.rmtree(top)


@asynccontextmanager
async def taken_port() -> AsyncIterator[int]:
    """A port on 127.0.0.1 that another program listens on."""
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
