"""The listening socket, made by `up` and inherited by every web process: restarting one never loses the port."""

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from belfry.up.kept import GLANCE, Say

BACKLOG = 4_096  # many browsers come back at once after a restart
NEIGHBOURS = 20
LEFTOVER_SECONDS = 5.0


class PortTaken(Exception):
    """The port that was asked for is in use. The message is for the screen."""


@asynccontextmanager
async def listening(host: str, port: int, *, insist: bool, leftover: bool, say: Say) -> AsyncIterator[socket.socket]:
    """Listen on `port`, or on the next free one unless the caller insists.

    `leftover`: web processes of a killed `up` may be about to let go of the port; give them a moment.

    Raises:
        PortTaken: the caller insists on a port, and another program has it.
    """
    listener = await _patiently(host, port) if leftover else _first_free(host, [port])
    if listener is None and insist:
        raise PortTaken(
            f"Port {port} is in use by another program. Stop that, or choose another port: BELFRY_PORT=8001"
        )
    if listener is None:
        listener = _first_free(host, [*range(port + 1, port + NEIGHBOURS), 0])
        assert listener is not None  # 0 is any free port
        say(f"Port {port} is in use by another program; using {listener.getsockname()[1]}")
    with listener:
        yield listener


async def _patiently(host: str, port: int) -> socket.socket | None:
    deadline = asyncio.get_running_loop().time() + LEFTOVER_SECONDS
    while asyncio.get_running_loop().time() < deadline:
        if listener := _first_free(host, [port]):
            return listener
        await asyncio.sleep(GLANCE)
    return None


def _first_free(host: str, ports: Iterable[int]) -> socket.socket | None:
    for port in ports:
        if _is_answered_elsewhere(host, port):
            continue
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(BACKLOG)
        except OSError as error:
            listener.close()
            if error.errno != errno.EADDRINUSE:
                raise
            continue
        return listener
    return None


def _is_answered_elsewhere(host: str, port: int) -> bool:
    """Whether `localhost` would lead elsewhere: browsers try ::1 first, and we listen on 127.0.0.1."""
    if host != "127.0.0.1" or not port or not socket.has_ipv6:
        return False
    try:
        socket.create_connection(("::1", port), timeout=1).close()
    except OSError:
        return False
    return True
