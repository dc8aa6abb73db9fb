"""Belfry's commands as real processes."""

import asyncio
import os
import random
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO, Self

import msgspec

from belfry.settings import PREFIX, Settings
from tests.bench.client.processors import TICKS
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


class Process:
    """One of Belfry's programs, `python -m ...`, with a loop and signals of its own. It can be started again.

    What it prints goes to `stderr`, all of it.
    """

    def __init__(self, settings: Settings, *program: str, stderr: IO[bytes] | None = None) -> None:
        self._settings = settings
        self._program = program
        self._stderr = stderr
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    async def start(self) -> Self:
        given = msgspec.structs.asdict(self._settings).items()
        env = {PREFIX + name.upper(): str(value) for name, value in given if value != ""}
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", *self._program),
            env=os.environ | env,
            stdout=self._stderr or asyncio.subprocess.DEVNULL,
            stderr=self._stderr,
        )
        return self

    async def end(self, how: signal.Signals, *, within: float = 10) -> int:
        """Send a signal, and return the exit code when the process is gone."""
        os.kill(self.pid, how)
        await gone(self.pid, within=within)
        return await self.ended()

    async def ended(self) -> int:
        """Return the exit code when it has ended, for whatever reason."""
        assert self._process is not None
        return await self._process.wait()

    async def close(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


class Web(Process):
    """A `belfry web`. Its port stays when it is started again."""

    def __init__(self, settings: Settings, *, stderr: IO[bytes] | None = None) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        at_home = msgspec.structs.replace(settings, port=self.port, host="127.0.0.1")
        super().__init__(at_home, "belfry", "web", stderr=stderr)

    async def start(self) -> Self:
        await super().start()
        await answers(self.port)
        return self


class Worker(Process):
    def __init__(self, settings: Settings, *, stderr: IO[bytes] | None = None) -> None:
        super().__init__(settings, "tasks", stderr=stderr)


@asynccontextmanager
async def web(settings: Settings, *, stderr: IO[bytes] | None = None) -> AsyncIterator[Web]:
    """A web process for the length of the block; it may be ended, and started again, inside."""
    process = Web(settings, stderr=stderr)
    try:
        yield await process.start()
    finally:
        await process.close()


@asynccontextmanager
async def worker(settings: Settings, directory: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """`python -m tasks`, killed at the end if it still runs."""
    values = msgspec.to_builtins(settings)
    env = {f"{PREFIX}{name.upper()}": str(value) for name, value in values.items() if value is not False}
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "tasks", cwd=directory, env=env)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def open_files(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def processor_seconds(pid: int) -> float:
    """What a process has used so far, in steps of 10 ms (proc_pid_stat(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


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
