"""Belfry's commands as real processes."""

import asyncio
import os
import random
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import IO, Self

import msgspec

from belfry.settings import PREFIX, Settings
from tests.up.witness import gone

# Below the ports that the kernel gives to connections: one of those could take the port of a server that is down.
PORTS = range(15_000, 30_000)


async def belfry_command(settings: Settings, *arguments: str, stdin: str = "", **env: str) -> tuple[int, str, str]:
    """Run `belfry ...` to its end: exit code, standard output, standard error."""
    given = {
        "BELFRY_DATABASE_URL": settings.database_url,
        "BELFRY_REDIS_URL": settings.redis_url,
        "BELFRY_SECRET_KEY": settings.secret_key,
        "PATH": os.environ["PATH"],
        "COLUMNS": "200",
    }
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "belfry", *arguments), stdin=pipe, stdout=pipe, stderr=pipe, env=given | env
    )
    try:
        async with asyncio.timeout(60):
            output, errors = await process.communicate(stdin.encode())
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode is not None
    return process.returncode, output.decode(), errors.decode()


class Web:
    """A `belfry web` with a loop and signals of its own. Its port stays when it is started again."""

    def __init__(self, settings: Settings, *, stderr: IO[bytes] | None = None) -> None:
        self._stderr = stderr
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._settings = msgspec.structs.replace(settings, port=self.port, host="127.0.0.1")
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    async def start(self) -> Self:
        given = msgspec.structs.asdict(self._settings).items()
        env = {PREFIX + name.upper(): str(value) for name, value in given if value != ""}
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "belfry", "web"),
            env=os.environ | env,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=self._stderr,
        )
        await answers(self.port)
        return self

    async def end(self, how: signal.Signals, *, within: float = 10) -> None:
        """Send a signal and return when the process is gone."""
        os.kill(self.pid, how)
        await gone(self.pid, within=within)
        assert self._process is not None
        await self._process.wait()

    async def close(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


@asynccontextmanager
async def web(settings: Settings, *, stderr: IO[bytes] | None = None) -> AsyncIterator[Web]:
    """A web process for the length of the block; it may be ended, and started again, inside."""
    process = Web(settings, stderr=stderr)
    try:
        yield await process.start()
    finally:
        await process.close()


async def answers(port: int) -> None:
    """Return when somebody accepts connections."""
    async with asyncio.timeout(20):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
                continue
            writer.close()
            await writer.wait_closed()
            return


def free_port() -> int:
    while True:
        with socket.socket() as sock:
            try:
                sock.bind(("127.0.0.1", random.choice(PORTS)))
            except OSError:
                continue
            return int(sock.getsockname()[1])
