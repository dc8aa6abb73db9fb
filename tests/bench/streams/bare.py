"""The baseline: the least a Python process can do to hold streams and write to them.

It asks nobody who they are, knows no positions, and writes what Redis says to one socket, or to all in one loop.
Run as `python -m tests.bench.streams.bare --fd N`.
"""

import asyncio
import gc
import socket
import sys
from collections.abc import Callable
from typing import cast

import uvloop

from belfry.settings import Settings
from tests.bench.streams.generator import redis

READY = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
OPEN = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\nid: 0.0\nevent: open\ndata: {}\n\n"


class Held(asyncio.Protocol):
    def __init__(self, streams: list[Callable[[bytes], None]]) -> None:
        self._streams = streams

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if data.startswith(b"GET /v1/stream"):
            self._transport.write(OPEN)
            self._streams.append(self._transport.write)
        else:
            self._transport.write(READY)


async def serve(settings: Settings, listener: socket.socket) -> None:
    streams: list[Callable[[bytes], None]] = []

    def told(message: bytes) -> None:
        stream, frame = int.from_bytes(message[:4], "big"), message[4:]
        if stream == redis.EVERYONE:
            for write in streams:
                write(frame)
        else:
            streams[stream](frame)

    wire = await redis.connect(settings.redis_url, told)
    wire.send(redis.subscribe(redis.BARE))
    gc.disable()
    server = await asyncio.get_running_loop().create_server(lambda: Held(streams), sock=listener, backlog=4_096)
    await server.serve_forever()


def main(fd: int) -> None:
    uvloop.run(serve(Settings.from_env(), socket.socket(fileno=fd)))


if __name__ == "__main__":
    main(int(sys.argv[-1]))
