"""A bare connection to Redis: publishing through a client library, that would be what is measured."""

import asyncio
from collections.abc import Callable
from typing import cast

import hiredis
from redis.asyncio import Redis

BARE = b"bench:bare"
EVERYONE = 2**32 - 1


class Wire(asyncio.Protocol):
    def __init__(self, told: Callable[[bytes], None] | None = None) -> None:
        self._told = told
        self._reader = hiredis.Reader()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        while (reply := self._reader.gets()) is not False:
            if self._told is not None and isinstance(reply, list) and reply[0] == b"message":
                self._told(reply[2])

    def send(self, *commands: bytes) -> None:
        self.transport.write(b"".join(commands))


async def connect(url: str, told: Callable[[bytes], None] | None = None) -> Wire:
    where = Redis.from_url(url).connection_pool.connection_kwargs
    loop = asyncio.get_running_loop()
    if "path" in where:
        _, wire = await loop.create_unix_connection(lambda: Wire(told), where["path"])
    else:
        _, wire = await loop.create_connection(lambda: Wire(told), where["host"], where["port"])
    return wire


def publish(channel: bytes, message: bytes) -> bytes:
    return b"*3\r\n$7\r\nPUBLISH\r\n$%d\r\n%b\r\n$%d\r\n%b\r\n" % (len(channel), channel, len(message), message)


def subscribe(channel: bytes) -> bytes:
    return b"*2\r\n$9\r\nSUBSCRIBE\r\n$%d\r\n%b\r\n" % (len(channel), channel)


def command(stream: int, frame: bytes) -> bytes:
    """Tell the baseline to write a frame: to one of its streams, or to `EVERYONE`."""
    return publish(BARE, stream.to_bytes(4, "big") + frame)
