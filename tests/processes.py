"""Belfry's commands as real processes."""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import IO

import msgspec

from belfry.settings import PREFIX, Settings


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
    async with asyncio.timeout(60):
        output, errors = await process.communicate(stdin.encode())
    assert process.returncode is not None
    return process.returncode, output.decode(), errors.decode()


@asynccontextmanager
async def web_process(settings: Settings, *, stderr: IO[bytes] | None = None) -> AsyncIterator[tuple[int, str]]:
    """A real `belfry web`, with its own loop and signals."""
    port = _free_port()
    given = msgspec.structs.replace(settings, port=port, host="127.0.0.1")
    env = {PREFIX + name.upper(): str(value) for name, value in msgspec.structs.asdict(given).items() if value != ""}
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "belfry", "web"),
        env=os.environ | env,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=stderr,
    )
    try:
        await _answers(port)
        yield running.pid, f"http://127.0.0.1:{port}"
    finally:
        if running.returncode is None:
            running.kill()
        await running.wait()


async def _answers(port: int) -> None:
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


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
