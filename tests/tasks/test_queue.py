"""The queue at a glance: over HTTP, on a terminal, for scripts."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from redis.asyncio import Redis
from sqlalchemy import text

from belfry.mail.workers import KEEP_SECONDS, workers
from belfry.settings import Settings
from belfry.up import redis as embedded
from belfry.up.redis import Redis as Server
from db import Database
from db.models import DeliveryStatus
from db.queries import queue
from tasks.context import Context, open_context
from tests.people import Person
from tests.processes import belfry_command
from tests.processes import worker as process
from tests.realtime.test_presence import becomes
from tests.rows import email_to, user, users
from tests.serving import Serving, serving
from tests.smtp_sink import Fault, Sink
from tests.tasks.test_worker import working

FILL = text("""
INSERT INTO deliveries (notification_id, user_id, lane, status)
SELECT (SELECT id FROM notifications), id, 2, CASE WHEN id % 8 = 0 THEN 'pending' ELSE 'sent' END FROM users
""")


async def empty(db: Database) -> int:
    """A notification to hang deliveries on."""
    made = await email_to(db, await user(db))
    async with db.statement() as tx:
        await tx.execute(text("DELETE FROM deliveries"))
    return made


async def test_a_small_queue_is_counted(db: Database) -> None:
    ada = await user(db)
    for _ in range(3):
        await email_to(db, ada)
    async with db.statement() as tx:
        await tx.execute(text("UPDATE deliveries SET due_at = now() - interval '90 seconds' WHERE id = 1"))
        await tx.execute(text("UPDATE deliveries SET status = 'failed' WHERE id = 2"))
        await tx.execute(text("UPDATE deliveries SET due_at = now() + interval '1 day' WHERE id = 3"))
        length = await queue.length(tx)

    assert length.counts == dict.fromkeys(DeliveryStatus, 0) | {"pending": 2, "failed": 1}
    assert length.estimated == []
    assert 90 <= (length.oldest_due or 0) < 100


async def test_an_empty_queue_is_empty(db: Database) -> None:
    async with db.statement() as tx:
        length = await queue.length(tx)

    assert set(length.counts.values()) == {0}
    assert (length.estimated, length.oldest_due) == ([], None)


async def test_a_large_queue_costs_no_more(db: Database) -> None:
    """As with a million: the limit is lower instead of the table larger."""
    await empty(db)
    await users(db, 40_000)
    async with db.statement() as tx:
        await tx.execute(FILL)
        pages = await tx.scalar(text("SELECT pg_relation_size('deliveries') / 8192"))
        counted = (await tx.execute(text("SELECT status, count(*) FROM deliveries GROUP BY status"))).all()
        exact: dict[str, int] = {row[0]: row[1] for row in counted}
        length = await queue.length(tx, pages=100)
        read = await blocks(tx)

    assert pages > 300
    assert length.counts[DeliveryStatus.PENDING] == exact["pending"]
    assert abs(length.counts[DeliveryStatus.SENT] - exact["sent"]) < exact["sent"] / 2
    assert set(DeliveryStatus) - set(length.estimated) == {DeliveryStatus.PENDING, DeliveryStatus.PROCESSING}
    assert read < pages


async def blocks(tx: Any) -> int:
    """Blocks of the table that the sample reads."""
    plan = await tx.scalar(
        text("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + queue.SAMPLE.text.replace(":percent", "25"))
    )
    node = plan[0]["Plan"]
    return int(node["Shared Hit Blocks"] + node["Shared Read Blocks"])


@pytest.fixture
async def redis() -> AsyncIterator[Server]:
    """A Redis that may be hurt."""
    async with embedded.running(say=lambda _: None) as server:
        yield server


async def test_each_worker_says_what_it_does(context: Context, settings: Settings, redis_url: str) -> None:
    async with Redis.from_url(redis_url) as client, open_context(settings):
        await becomes(lambda: count(client), 2)
        with context.status.doing("send_due"):
            jobs = [["send_due"], []]
            await becomes(lambda: doing(client), sorted(jobs))
        await becomes(lambda: doing(client), [[], []])
    async with Redis.from_url(redis_url) as client:
        assert [state.name for state in await workers(client)] == [context.worker]
        assert {state.mail for state in await workers(client)} == {"working"}


async def count(client: Redis) -> int:
    return len(await workers(client))


async def doing(client: Redis) -> list[list[str]]:
    return sorted([job.job for job in state.doing] for state in await workers(client))


async def test_a_worker_that_is_killed_is_forgotten_and_one_that_ends_says_so(
    settings: Settings, db: Database, redis_url: str, tmp_path: Any
) -> None:
    async with Redis.from_url(redis_url) as client, process(settings, tmp_path) as dying:
        await becomes(lambda: count(client), 1, within=10)
        async with process(settings, tmp_path) as ending:
            await becomes(lambda: count(client), 2, within=10)
            ending.terminate()
            await ending.wait()
            assert await count(client) == 1
        dying.kill()
        await becomes(lambda: count(client), 0, within=KEEP_SECONDS + 2)


async def test_what_redis_forgets_is_said_again(context: Context, redis_url: str) -> None:
    async with Redis.from_url(redis_url) as client:
        await becomes(lambda: count(client), 1)
        await client.flushall()
        await becomes(lambda: count(client), 1)


async def test_garbage_in_redis_is_no_worker(context: Context, redis_url: str) -> None:
    async with Redis.from_url(redis_url) as client:
        await becomes(lambda: count(client), 1)
        await client.sadd("belfry:workers", "garbage")
        await client.set("belfry:worker:garbage", b'{"name": 1}')
        assert await count(client) == 1


async def test_an_admin_sees_the_queue(
    belfry: Serving, db: Database, sink: Sink, ada: Person, bob: Person, eve: Person
) -> None:
    await ada.send("First", to=bob.id)
    before = await eve.get("/v1/queue")
    assert (before["mail"], before["workers"], before["counts"]["pending"]) == ("no workers", [], 1)
    assert before["oldest_due_seconds"] > 0

    sink.once("DOT", Fault.WAIT)
    async with working(belfry.settings):
        await sink.reached("DOT")
        await becomes(lambda: sending(eve), 1)
        during = await eve.get("/v1/queue")
        sink.release()
        await sink.received(1)
        await becomes(lambda: rate_is_seen(eve), True)

    [worker] = during["workers"]
    assert (during["mail"], during["reason"]) == ("working", None)
    assert [job["job"] for job in worker["doing"] if job["job"] == "send_due"] == ["send_due"]
    assert during["counts"]["processing"] == 1
    for person in (ada, bob):
        assert (await person.client.get("/v1/queue")).status_code == 403


async def sending(admin: Person) -> int:
    return sum(worker["sending"] for worker in (await admin.get("/v1/queue"))["workers"])


async def rate_is_seen(admin: Person) -> bool:
    queue = await admin.get("/v1/queue")
    return bool(queue["rate"] > 0 and queue["counts"]["sent"] == 1)


async def test_without_redis_the_counts_are_still_there(settings: Settings, redis: Server, db: Database) -> None:
    elsewhere = msgspec.structs.replace(settings, redis_url=redis.url)
    async with serving(elsewhere) as web, web.person("root@example.com", role="admin") as admin:
        await redis.stop()
        queue = await admin.get("/v1/queue")
        assert (queue["mail"], queue["workers"], queue["counts"]["pending"]) == ("unknown", [], 0)
        ready = await admin.get("/health/ready")
        assert (ready["status"], ready["mail"], ready["workers"]) == ("ok", "unknown", 0)


async def test_the_terminal_shows_it_once_or_as_json(settings: Settings, db: Database, context: Context) -> None:
    await email_to(db, await user(db))

    code, output, errors = await belfry_command(settings, "queue", "--once")
    assert (code, errors) == (0, "")
    assert "pending" in output
    assert "mail is working" in output
    assert context.worker in output

    code, output, errors = await belfry_command(settings, "queue", "--json")
    shown = json.loads(output)
    assert (code, errors, shown["counts"]["pending"], shown["mail"]) == (0, "", 1, "working")
    assert shown["workers"][0]["name"] == context.worker


async def test_the_terminal_follows_it_until_it_is_interrupted(
    settings: Settings, db: Database, context: Context
) -> None:
    env = {
        "BELFRY_DATABASE_URL": settings.database_url,
        "BELFRY_REDIS_URL": settings.redis_url,
        "BELFRY_SECRET_KEY": settings.secret_key,
        "PATH": os.environ["PATH"],
        "FORCE_COLOR": "1",  # as on a terminal
        "COLUMNS": "120",
    }
    following = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "belfry", "queue"), stdout=asyncio.subprocess.PIPE, env=env
    )
    assert following.stdout is not None
    shown = b""
    try:
        async with asyncio.timeout(30):
            while b"nothing is due" not in shown:
                shown += await following.stdout.read(65_536)
            await email_to(db, await user(db))
            while b"due since" not in shown:
                shown += await following.stdout.read(65_536)
            following.send_signal(signal.SIGINT)
            _, code = await asyncio.gather(following.stdout.read(), following.wait())
    finally:
        if following.returncode is None:
            following.kill()
            await following.wait()

    assert code == 0


async def test_a_database_that_is_away_is_said_in_one_line(settings: Settings, redis_url: str) -> None:
    away = msgspec.structs.replace(settings, database_url="postgresql://nobody@127.0.0.1:9/none")

    code, output, errors = await belfry_command(away, "queue", "--json")

    assert (code, output) == (1, "")
    assert errors.startswith("The database cannot be reached:")
    assert errors.count("\n") == 1
