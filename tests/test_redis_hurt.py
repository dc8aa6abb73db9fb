"""Everything as processes on one Redis, which is hurt under load: delays of a known length, and nothing else."""

import asyncio
import os
import shutil
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import httpx
import msgspec
import pytest
from redis.asyncio import Redis
from redis.exceptions import NoPermissionError, ResponseError

from belfry.background import end
from belfry.settings import Settings
from belfry.up import redis as embedded
from belfry.up.redis import Redis as Server
from db import Database
from tests.people import NO_TLS, Person
from tests.processes import web, worker
from tests.realtime.fleet import BOTH, CHECK, SLOW_MACHINE, Fleet, eventually_listening, sailing
from tests.realtime.raw import eventually, eventually_yes
from tests.rows import deliveries
from tests.smtp_sink import Sink

LONG = 7.0  # seconds; longer than any pause between two attempts, and than it takes to notice a frozen server
SHORT = 3.0
MINUTES = 180.0
SLOW_SECOND = 1.0  # for a machine with other work
SOON = 1.0 + SLOW_SECOND
FLUSHES = 0.02

Hurt = Callable[[Server], AbstractAsyncContextManager[None]]


@pytest.fixture
async def redis() -> AsyncIterator[Server]:
    async with embedded.running(say=lambda _: None) as server:
        yield server


@asynccontextmanager
async def away(redis: Server) -> AsyncIterator[None]:
    await redis.stop()
    try:
        yield
    finally:
        await redis.start()


@asynccontextmanager
async def frozen(redis: Server) -> AsyncIterator[None]:
    os.kill(redis.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(redis.pid, signal.SIGCONT)


@asynccontextmanager
async def killed_again_and_again(redis: Server) -> AsyncIterator[None]:
    async def kill() -> None:
        while True:
            killed = {redis.pid}
            os.kill(redis.pid, signal.SIGKILL)
            await eventually(lambda: redis.pid not in killed, within=20)  # noqa: B023
            await eventually_listening(redis, BOTH)

    async with _meanwhile(kill()):
        yield


@asynccontextmanager
async def flushed_again_and_again(redis: Server) -> AsyncIterator[None]:
    async def flush() -> None:
        async with Redis.from_url(redis.url) as client:
            while True:
                await client.flushall()
                await asyncio.sleep(FLUSHES)

    async with _meanwhile(flush()):
        yield


@asynccontextmanager
async def disk_full(redis: Server) -> AsyncIterator[None]:
    """It could not save, and so takes nothing more: MISCONF."""
    place = tempfile.mkdtemp()
    async with Redis.from_url(redis.url) as client:
        home = (await client.config_get("dir"))["dir"]
        await client.config_set("dir", place)
        shutil.rmtree(place)
        await client.config_set("save", "3600 1000000")
        await client.bgsave()
        await eventually_yes(lambda: _could_not_save(client))
        try:
            with pytest.raises(ResponseError, match="MISCONF"):
                await client.set("x", 1)
            yield
        finally:
            await client.config_set("save", "")
            await client.config_set("dir", home)


async def _could_not_save(client: Redis) -> bool:
    return bool((await client.info("persistence"))["rdb_last_bgsave_status"] == "err")


@asynccontextmanager
async def no_replica(redis: Server) -> AsyncIterator[None]:
    async with Redis.from_url(redis.url) as client:
        await client.config_set("min-replicas-to-write", "1")
        try:
            with pytest.raises(ResponseError, match="NOREPLICAS"):
                await client.set("x", 1)
            yield
        finally:
            await client.config_set("min-replicas-to-write", "0")


@asynccontextmanager
async def read_only(redis: Server) -> AsyncIterator[None]:
    """Nothing is written and nothing published; who listens goes on listening, to nothing."""
    async with Redis.from_url(redis.url) as client:
        await client.execute_command("ACL", "SETUSER", "default", "-@write", "-publish")
        try:
            with pytest.raises(NoPermissionError):
                await client.publish("x", "")
            yield
        finally:
            await client.execute_command("ACL", "SETUSER", "default", "+@all")


@asynccontextmanager
async def _meanwhile(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
        assert not task.done(), task
    finally:
        await end(task)


async def ready(url: str) -> str:
    """What a process says of its Redis, being ready."""
    async with httpx.AsyncClient(verify=NO_TLS) as client:
        answer = await client.get(url + "/health/ready")
    assert answer.status_code == 200
    return str(answer.json()["redis"])


async def all_back(fleet: Fleet) -> bool:
    return {await ready(url) for url in fleet.urls} == {"ok"}


async def none_under_way(db: Database) -> bool:
    return not {row.status for row in await deliveries(db)} & {"pending", "processing"}


@pytest.mark.parametrize(
    ("hurt", "seconds"),
    [
        (away, LONG),
        (frozen, LONG),
        pytest.param(away, MINUTES, marks=[pytest.mark.slow, pytest.mark.timeout(MINUTES + 120)]),
        *(
            pytest.param(hurt, SHORT, marks=pytest.mark.slow)
            for hurt in (killed_again_and_again, flushed_again_and_again, disk_full, no_replica, read_only)
        ),
    ],
)
async def test_what_was_accepted_is_told_and_sent_once_and_soon(
    settings: Settings, db: Database, redis: Server, sink: Sink, tmp_path: Path, hurt: Hurt, seconds: float
) -> None:
    given = msgspec.structs.replace(settings, redis_url=redis.url)
    async with (
        sailing(given, db, redis, streams=(15, 15), channels=("inbox", "email")) as fleet,
        worker(given, tmp_path),
    ):
        async with fleet.load.going_on():
            await sink.received(1)
            async with hurt(redis):
                before, began = len(sink.mails), time.monotonic()
                while time.monotonic() - began < seconds:
                    for url in fleet.urls:
                        await ready(url)
                    await fleet.more(5)
                assert len(sink.mails) > before, "no mail went out meanwhile"
            assert fleet.slowest < SOON
            assert fleet.latest < CHECK + SOON
            await eventually_yes(lambda: all_back(fleet), within=SLOW_MACHINE)
            await fleet.more(10)  # what was said before Redis was back is late
            fleet.forget_how_long()
            await fleet.more(20)
        await fleet.complete(within=CHECK + SLOW_MACHINE)
        assert fleet.slowest < SOON
        assert fleet.latest < SOON
        assert {stream.openings for stream in fleet.streams} == {1}, "no client noticed"
        await eventually_yes(lambda: none_under_way(db))
        made = await deliveries(db)
    assert {(row.status, row.attempts) for row in made} == {("sent", 1)}
    assert len({mail.message_id for mail in sink.mails}) == len(sink.mails) == len(made)


@pytest.mark.parametrize("hurt", [away, pytest.param(frozen, marks=pytest.mark.slow)])
async def test_processes_start_serve_and_stop_without_redis(
    settings: Settings, db: Database, redis: Server, sink: Sink, tmp_path: Path, ada: Person, bob: Person, hurt: Hurt
) -> None:
    given = msgspec.structs.replace(settings, redis_url=redis.url, position_check_seconds=CHECK)
    async with hurt(redis), web(given) as process, worker(given, tmp_path) as mailing:
        there = bob.at(process.url)
        assert await ready(process.url) == "away"
        async with there.stream() as events:
            await ada.send(to=bob.id, channels=["inbox", "email"])
            await events.until("1.0", within=CHECK + SOON)
            await sink.received(1)
            began = time.monotonic()
            await process.end(signal.SIGTERM, within=10)
            assert time.monotonic() - began < 2
            await events.next("reconnect")
        mailing.terminate()
        async with asyncio.timeout(30):
            assert await mailing.wait() == 0
        await there.client.aclose()
