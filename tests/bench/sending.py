"""How many mails a second one worker sends: `python -m tests.bench.sending DATABASE_URL REDIS_URL [COUNT]`.

The relay is a process of its own that takes everything at once. The floor to compare with is the same mails given to it
by the same pool, without a queue.
"""

import asyncio
import multiprocessing
import socket
import sys
import time
from datetime import UTC, datetime
from typing import cast
from uuid import uuid4

import uvloop
from sqlalchemy import text

from belfry.mail.letters import Letterhead
from belfry.mail.relay import Relay
from belfry.mail.smtp import Mailer
from belfry.settings import Settings
from db import Database, connect
from db.queries.deliveries import Letter
from tasks.worker import run
from tests.rows import users

INSERT = text("""
WITH notes AS (
    INSERT INTO notifications (user_id, title, content, channels, status)
    SELECT id, 'Build ' || id || ' passed', repeat('All green. ', 20), '{inbox,email}', 'pending' FROM users
    RETURNING id, user_id
)
INSERT INTO deliveries (notification_id, user_id, lane, status) SELECT id, user_id, 1, 'pending' FROM notes
""")
LEFT = text("SELECT count(*) FROM deliveries WHERE status <> 'sent'")


class QuickRelay(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._in_data = False
        self._tail = b""
        self._transport.write(b"220 quick\r\n")

    def data_received(self, data: bytes) -> None:
        if self._in_data:
            self._tail = (self._tail + data)[-5:]
            if self._tail == b"\r\n.\r\n":
                self._in_data = False
                self._transport.write(b"250 taken\r\n")
        elif data.startswith(b"DATA"):
            self._in_data, self._tail = True, b""
            self._transport.write(b"354 go on\r\n")
        else:
            self._transport.write(b"250 ok\r\n")


def serve(sock: socket.socket) -> None:
    async def forever() -> None:
        server = await asyncio.get_running_loop().create_server(QuickRelay, sock=sock)
        await server.serve_forever()

    uvloop.run(forever())


async def floor(settings: Settings, count: int) -> float:
    mailer = Mailer(
        Relay.parse(settings.smtp_url), sender=settings.mail_from, connections=settings.smtp_connections, seconds=30
    )
    letterhead = Letterhead(mail_from=settings.mail_from, public_url=settings.public_url)

    async def ours() -> bool:
        return True

    async def send(n: int) -> None:
        letter = Letter(
            n, uuid4(), 1, None, n, False, f"user{n}@example.com", "", "en", "UTC",
            f"Build {n} passed", "All green. " * 20, None, 3, [], None, datetime.now(UTC),
        )  # fmt: skip
        await mailer.send(letter.email, lambda: letterhead.render(letter), ours)

    before = time.perf_counter()
    await asyncio.gather(*(send(n) for n in range(count)))
    took = time.perf_counter() - before
    await mailer.close()
    return count / took


async def through_the_queue(settings: Settings, db: Database, count: int) -> float:
    async with db.statement() as tx:
        await tx.execute(text("TRUNCATE users, notifications CASCADE"))
    await users(db, count)
    async with db.begin() as tx:
        await tx.execute(INSERT)
    stop = asyncio.Event()
    before = time.perf_counter()
    worker = asyncio.create_task(run(settings, stop))
    while True:
        await asyncio.sleep(0.05)
        async with db.statement() as tx:
            if not await tx.scalar(LEFT):
                break
    took = time.perf_counter() - before
    stop.set()
    await worker
    return count / took


async def measure(settings: Settings, count: int) -> None:
    db = connect(settings.database_url)
    bare = await floor(settings, count)
    queued = await through_the_queue(settings, db, count)
    await db.close()
    print(f"bare pool {bare:.0f} mails/s; through the queue {queued:.0f} mails/s ({queued / bare:.2f} of it)")


def main(database_url: str, redis_url: str, count: str = "5000") -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        relay = multiprocessing.get_context("fork").Process(target=serve, args=(sock,), daemon=True)
        relay.start()  # before there is a loop to inherit
        settings = Settings(
            database_url=database_url,
            redis_url=redis_url,
            secret_key="x" * 32,
            smtp_url=f"smtp://127.0.0.1:{sock.getsockname()[1]}",
            mail_from="Belfry <belfry@example.org>",
        )
        uvloop.run(measure(settings, int(count)))
        relay.kill()


if __name__ == "__main__":
    main(*sys.argv[1:])
