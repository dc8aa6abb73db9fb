"""The one Redis connection a web process listens on, whatever the number of its streams."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any
from uuid import uuid4

import hiredis
import structlog
from redis.asyncio import Connection, ConnectionPool, Redis
from redis.exceptions import InvalidResponse, RedisError, ResponseError

from belfry.background import end
from belfry.realtime import frames
from belfry.realtime.frames import Message
from belfry.undecodable import UNDECODABLE

log = structlog.get_logger()

BEAT_SECONDS = 1.0
SILENCE_SECONDS = 4.0  # a frozen Redis keeps its connections open; only our own missing heartbeat tells
CONNECT_SECONDS = 2.0
PAUSE = 0.2
READ_SIZE = 64 * 1024


class Subscription:
    """Receives every message. Whatever was published while it was not connected is lost: `gap` is called each time."""

    def __init__(self, redis: Redis, *, receive: Callable[[Message], None], gap: Callable[[], None]) -> None:
        self._redis = redis
        self._receive = receive
        self._gap = gap
        self._own = f"belfry:beat:{uuid4().hex}".encode()
        self._heard = 0.0
        self.connected = False
        self._told = False  # that there is no connection

    async def run(self) -> None:
        """Stay subscribed, for ever."""
        while True:
            try:
                await self._listen()
            except (RedisError, OSError, TimeoutError) as error:
                if not self._told:
                    log.warning(
                        "no connection for events; streams are late until there is one", error=type(error).__name__
                    )
                self.connected, self._told = False, True
            await asyncio.sleep(PAUSE)

    async def _listen(self) -> None:
        pool: ConnectionPool = self._redis.connection_pool
        connection: Connection = pool.make_connection()  # type: ignore[no-untyped-call]
        beating = None
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await connection.connect()  # type: ignore[no-untyped-call]
                await connection.send_command("SUBSCRIBE", frames.INBOXES, frames.BROADCASTS, self._own)
            self._heard = asyncio.get_running_loop().time()
            beating = asyncio.create_task(self._beat(connection))
            async for kind, channel, data in _replies(connection):
                if kind == b"subscribe":
                    if channel == self._own:  # the last of the three: from here on nothing is missed
                        self.connected, self._told = True, False
                        log.info("listening for events")
                        self._gap()
                elif channel == self._own:
                    self._heard = asyncio.get_running_loop().time()
                else:
                    self._take(data)
        finally:
            try:
                await end(beating)  # a command cut short closes its connection, which takes a moment
            finally:
                with suppress(RedisError, OSError):
                    await connection.disconnect(nowait=True)

    def _take(self, data: bytes) -> None:
        try:
            message = frames.unpack(data)
        except UNDECODABLE:
            log.warning("ignored a message that is none of ours", size=len(data))
            return
        self._receive(message)

    async def _beat(self, connection: Connection) -> None:
        """Publish to ourselves; when that does not come back, cut the connection, which wakes the reader."""
        loop = asyncio.get_running_loop()
        while loop.time() - self._heard < SILENCE_SECONDS:
            with suppress(RedisError, OSError, TimeoutError):
                async with asyncio.timeout(BEAT_SECONDS):
                    await self._redis.publish(self._own, b"")
            await asyncio.sleep(BEAT_SECONDS)
        await connection.disconnect(nowait=True)


async def _replies(connection: Connection) -> AsyncIterator[Any]:
    """What Redis says, for ever. One read, with one timer, may bring a hundred messages: asking redis-py for each by
    itself costs a timer a message, a fifth of all that a message costs.

    Raises:
        RedisError: it refused something.
        OSError: the connection ended.
    """
    stream = connection._reader
    assert stream is not None
    parser = hiredis.Reader(protocolError=InvalidResponse, replyError=ResponseError)
    while True:
        async with asyncio.timeout(connection.socket_timeout):
            data = await stream.read(READ_SIZE)
        if not data:
            raise ConnectionResetError("Redis ended the connection")
        parser.feed(data)
        while (reply := parser.gets()) is not False:
            if isinstance(reply, RedisError):
                raise reply
            yield reply
