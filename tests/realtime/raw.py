"""A stream over a bare socket: what is on the wire, and a client that reads when it is told to."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from tests.people import Event, Person


class Raw:
    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.received = bytearray()

    @property
    def head(self) -> bytes:
        return bytes(self.received).partition(b"\r\n\r\n")[0].lower()

    @property
    def body(self) -> bytes:
        body = bytes(self.received).partition(b"\r\n\r\n")[2]
        return b"".join(_chunks(body)) if b"transfer-encoding: chunked" in self.head else body

    @property
    def events(self) -> list[Event]:
        return parse(self.body)

    async def send(self, data: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self._sock, data)

    async def until(self, enough: Callable[[bytes], bool], *, within: float = 20) -> None:
        """Read until `enough` says so of the last 64 KiB, or fail."""
        async with asyncio.timeout(within):
            while not enough(bytes(self.received[-65536:])):
                assert await self.more(), f"ended after {bytes(self.received[-200:])!r}"

    async def more(self, most: int = 1 << 20) -> bool:
        """Read what there is, or wait for it; whether there was anything before the end."""
        data = await asyncio.get_running_loop().sock_recv(self._sock, most)
        self.received += data
        return bool(data)

    async def end(self, *, within: float = 20) -> None:
        """Read to the end, whichever way it comes."""
        async with asyncio.timeout(within):
            try:
                while data := await asyncio.get_running_loop().sock_recv(self._sock, 1 << 20):
                    self.received += data
            except ConnectionResetError:
                pass


@asynccontextmanager
async def connected(url: str, *, receive_buffer: int | None = None) -> AsyncIterator[Raw]:
    with socket.socket() as sock:
        sock.setblocking(False)
        if receive_buffer is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", urlsplit(url).port))
        yield Raw(sock)


@asynccontextmanager
async def raw_stream(
    person: Person, *, receive_buffer: int | None = None, last_id: str | None = None
) -> AsyncIterator[Raw]:
    async with connected(str(person.client.base_url), receive_buffer=receive_buffer) as raw:
        await raw.send(request(person, "/v1/stream", last_id=last_id))
        yield raw


def request(person: Person, path: str, *, last_id: str | None = None) -> bytes:
    lines = [f"GET {path} HTTP/1.1", "Host: belfry", f"Authorization: {person.client.headers['authorization']}"]
    if last_id is not None:
        lines.append(f"Last-Event-ID: {last_id}")
    return "\r\n".join([*lines, "", ""]).encode()


def parse(body: bytes) -> list[Event]:
    """The events up to the last empty line."""
    events, last_id = [], ""
    for block in body.split(b"\n\n")[:-1]:
        fields = dict(line.split(": ", 1) for line in block.decode().split("\n") if ": " in line)
        last_id = fields.get("id", last_id)
        if "data" in fields:
            events.append(Event(fields["event"], json.loads(fields["data"]), last_id, "id" in fields))
    return events


def _chunks(body: bytes) -> Iterator[bytes]:
    """What chunked transfer coding carries (RFC 9112, section 7.1), as far as it has come."""
    while body:
        size, _, body = body.partition(b"\r\n")
        yield body[: int(size, 16)]
        body = body[int(size, 16) + 2 :]


async def eventually(condition: Callable[[], bool], *, within: float = 10) -> None:
    """Wait for what has no event of its own to wait on."""
    async with asyncio.timeout(within):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def eventually_yes(ask: Callable[[], Awaitable[bool]], *, within: float = 10) -> None:
    """Ask until the answer is yes."""
    async with asyncio.timeout(within):
        while not await ask():  # noqa: ASYNC110
            await asyncio.sleep(0.02)
