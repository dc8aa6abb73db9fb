"""Waiting until the web processes answer that they are ready."""

import asyncio
from contextlib import suppress

from belfry.up.program import ProgramFailed

DEADLINE = 60.0
PAUSE = 0.05


async def ready(host: str, port: int) -> None:
    """Return when `GET /health/ready` has answered 200.

    Raises:
        ProgramFailed: it has not within a minute; the message carries the last answer.
    """
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    answer = b""
    try:
        async with asyncio.timeout(DEADLINE):
            while not answer.startswith(b"HTTP/1.1 200 "):
                await asyncio.sleep(PAUSE)
                with suppress(OSError):  # a web process died with our connection; there will be another
                    answer = await _get(host, port)
    except TimeoutError:
        last = answer.decode(errors="replace").strip() or "none"
        raise ProgramFailed(f"Belfry is not ready after {DEADLINE:.0f} s. Its last answer:\n{last}") from None


async def _get(host: str, port: int) -> bytes:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(f"GET /health/ready HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n".encode())
        return await reader.read(4_096)
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
