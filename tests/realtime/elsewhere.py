"""A machine of its own, as far as the kernel is concerned: its cable can be pulled out."""

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.people import Person

needed = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("ip") is None, reason="needs root and `ip`: apt-get install iproute2"
)

NAME = f"belfry-{os.getpid()}"
OURS, THEIRS = f"bf{os.getpid()}", f"bg{os.getpid()}"
HERE, THERE = "198.18.77.1", "198.18.77.2"  # the block for tests of network devices (RFC 2544)

LISTEN = """
import socket, sys
host, port, token = sys.argv[1:]
sock = socket.create_connection((host, int(port)))
sock.sendall(f"GET /v1/stream HTTP/1.1\\r\\nHost: belfry\\r\\nAuthorization: {token}\\r\\n\\r\\n".encode())
while sock.recv(65536):
    pass
"""


class Elsewhere:
    async def listen(self, person: Person, port: int) -> asyncio.subprocess.Process:
        """Start a client that reads its stream for ever."""
        token = person.client.headers["authorization"]
        command = ["ip", "netns", "exec", NAME, sys.executable, "-c", LISTEN, HERE, str(port), token]
        return await asyncio.create_subprocess_exec(*command)

    async def vanish(self) -> None:
        """Pull the cable: nothing comes from there any more, not even an end."""
        await _ip("-n", NAME, "link", "set", THEIRS, "down")


@asynccontextmanager
async def elsewhere() -> AsyncIterator[Elsewhere]:
    """Another machine on a cable of its own. Skips where the kernel does not let us have one."""
    try:
        await _ip("netns", "add", NAME)
        await _ip("link", "add", OURS, "type", "veth", "peer", "name", THEIRS, "netns", NAME)
    except OSError as error:
        pytest.skip(f"no network namespaces here: {error}")
    try:
        await _ip("address", "add", f"{HERE}/30", "dev", OURS)
        await _ip("link", "set", OURS, "up")
        await _ip("-n", NAME, "address", "add", f"{THERE}/30", "dev", THEIRS)
        await _ip("-n", NAME, "link", "set", THEIRS, "up")
        yield Elsewhere()
    finally:
        await _ip("link", "delete", OURS)
        await _ip("netns", "delete", NAME)


async def _ip(*arguments: str) -> None:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec("ip", *arguments, stderr=pipe)
    _, errors = await process.communicate()
    if process.returncode != 0:
        raise OSError(f"ip {' '.join(arguments)}: {errors.decode().strip()}")
