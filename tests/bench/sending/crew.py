"""Who takes part: the sink, workers, and the two that Belfry is compared with, each a process of its own.

Workers and those they are compared with have one core, the sink, PostgreSQL and Redis the other.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic

from belfry.up.kept import kept
from belfry.up.listener import listening
from belfry.up.program import Program, finish
from tests.bench.stage import SOURCES, Stage

GLANCE = 0.01
STUCK_SECONDS = 60.0
CONNECTIONS = 32


class Sink:
    """The sink as the benchmark sees it."""

    def __init__(self, port: int, pid: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.port = port
        self.pid = pid
        self._reader, self._writer = reader, writer

    async def seen(self) -> int:
        """How many mails it has taken."""
        return int(await self._ask(b"XSEE"))

    async def times(self) -> dict[str, float]:
        """When it took mails to addresses that begin with "timed", in seconds of `time.monotonic`."""
        return dict(json.loads(await self._ask(b"XTIM")))

    async def until(self, count: int) -> float:
        """Wait until it has taken so many; the moment at which that was seen.

        Raises:
            TimeoutError: it has been taking none for a minute.
        """
        seen = -1
        async with asyncio.timeout(STUCK_SECONDS) as deadline:
            while True:
                now = await self.seen()
                if now >= count:
                    return monotonic()
                if now > seen:
                    deadline.reschedule(asyncio.get_running_loop().time() + STUCK_SECONDS)
                    seen = now
                await asyncio.sleep(GLANCE)

    async def _ask(self, command: bytes) -> bytes:
        self._writer.write(command + b"\r\n")
        return (await self._reader.readline())[4:]


@asynccontextmanager
async def sink(stage: Stage, milliseconds: float) -> AsyncIterator[Sink]:
    """A relay each of whose replies takes some milliseconds."""
    async with listening("127.0.0.1", 0, insist=True, leftover=False, say=_quiet) as listener:
        port = listener.getsockname()[1]
        program = Program(
            name="the sink",
            argv=_module("sink", listener.fileno(), stage.cores.client[0], milliseconds),
            cwd=SOURCES,
            fds=(listener.fileno(),),
            log=stage.directory / f"sink-{port}.log",
        )
        async with kept(program, say=print) as process:
            reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**26)
            try:
                await reader.readline()
                yield Sink(port, process.pid, reader, writer)
            finally:
                writer.close()


@asynccontextmanager
async def worker(stage: Stage, sink: Sink, **settings: str) -> AsyncIterator[int]:
    """`belfry worker` on the server's core; yields its pid, which is at work a moment later."""
    ours = {
        "smtp_url": f"smtp://127.0.0.1:{sink.port}",
        "smtp_connections": str(CONNECTIONS),
        "mail_from": "Belfry <belfry@example.org>",
        **settings,
    }
    program = Program(
        name="a worker",
        argv=[sys.executable, "-m", "tasks"],
        env=stage.environment(ours),
        cwd=stage.directory,
        log=stage.directory / f"worker-{monotonic()}.log",
        patience=30,
    )
    async with kept(program, say=print) as process:
        for thread in Path(f"/proc/{process.pid}/task").iterdir():
            os.sched_setaffinity(int(thread.name), stage.cores.server)
        yield process.pid


async def without_a_queue(stage: Stage, client: str, sink: Sink, mails: int, size: int) -> float:
    """Mails of `size` bytes a second that a client with nothing else to do, `bare` or `raw`, gives to the sink."""
    argv = _module(client, sink.port, stage.cores.server[0], CONNECTIONS, mails, size)
    return float(await finish(Program(name=f"the {client} client", argv=argv, cwd=SOURCES)))


async def tutorial(stage: Stage, sink: Sink, mails: int) -> float:
    """Mails a second that the worker of a tutorial sends, which waits for them in Redis."""
    argv = _module("tutorial", stage.settings.redis_url, sink.port, stage.cores.server[0], mails)
    return float(await finish(Program(name="the tutorial", argv=argv, cwd=SOURCES)))


def _module(name: str, *given: object) -> list[str]:
    return [sys.executable, "-m", f"tests.bench.sending.{name}", *map(str, given)]


def _quiet(_: str) -> None:
    pass
