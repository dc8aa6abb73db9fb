import asyncio
import gc
import pickle
import signal
import time
import warnings
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from arq.connections import ArqRedis

from belfry.sending.bell import (
    ARRIVE,
    BROADCAST,
    DISCARD,
    EXPAND,
    QUEUE,
    RETIRE,
    RUN_SCHEDULES,
    SEND_DUE,
    SWEEP,
    TICKS,
    QueueBell,
    connect_queue,
    decode_job,
    encode_job,
)
from tasks.context import Context
from tasks.worker import create_worker
from tests.realtime.raw import eventually_yes
from tests.tasks.test_worker import redis_server


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[ArqRedis]:
    async with connect_queue(redis_url) as redis:
        yield redis


async def jobs(redis: ArqRedis) -> list[str]:
    return [job.function for job in await redis.queued_jobs()]


async def test_many_rings_are_few_jobs(redis: ArqRedis) -> None:
    async with QueueBell(redis) as bell:
        for _ in range(500):
            bell.ring()
            await asyncio.sleep(0)
        bell.ring_expand(7)

    rung = await jobs(redis)
    assert 1 <= rung.count(SEND_DUE) < 20
    assert rung.count(EXPAND) == 1


async def test_it_rings_for_each_of_the_moments_to_come(redis: ArqRedis) -> None:
    async def rang(times: int) -> bool:
        return await jobs(redis) == [SEND_DUE] * times

    async with QueueBell(redis) as bell:
        for seconds in (0.4, 0.05, 0.4, 200.0):
            bell.ring_in(seconds)
        await eventually_yes(lambda: rang(2))


async def test_the_last_ring_is_not_lost_on_close(redis: ArqRedis) -> None:
    async with QueueBell(redis) as bell:
        bell.ring()

    assert await jobs(redis) == [SEND_DUE]


async def test_to_many_jobs_a_ring_a_tenth_of_a_second_is_added_and_to_too_many_none(redis: ArqRedis) -> None:
    """They may be what killed workers left, and keep the mail of all others waiting; or no worker runs for days."""

    async def ring() -> int:
        for _ in range(20):
            async with QueueBell(redis) as bell:
                bell.ring()
        return int(await redis.zcard(QUEUE))

    await redis.zadd(QUEUE, {f"{n:032x}": 1 for n in range(100)})
    began = time.monotonic()
    rung = await ring()
    assert 101 <= rung <= 102 + (time.monotonic() - began) * TICKS

    await redis.zadd(QUEUE, {f"{n:032x}": 1 for n in range(1000)})
    many = await redis.zcard(QUEUE)
    assert await ring() == many


async def test_what_arrives_in_the_same_tenth_of_a_second_shares_a_ring_and_far_ahead_there_is_none(
    redis: ArqRedis,
) -> None:
    second = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=30)
    async with QueueBell(redis) as bell:
        for milliseconds in (110, 120, 190, 210):
            bell.ring_at(second + timedelta(milliseconds=milliseconds))
        bell.ring_at(second + timedelta(days=100))

    assert await jobs(redis) == [ARRIVE, ARRIVE]
    due = [score / 1000 - second.timestamp() for _, score in await redis.zrange(QUEUE, 0, -1, withscores=True)]
    assert due == pytest.approx([0.2, 0.3])


async def test_what_arrives_now_does_not_count_on_a_job_that_may_have_looked_already(redis: ArqRedis) -> None:
    now = datetime.now(UTC)
    for _ in range(2):
        async with QueueBell(redis) as bell:
            bell.ring_at(now)

    assert await jobs(redis) == [ARRIVE, ARRIVE]


async def test_what_is_put_off_does_not_keep_the_bell_from_ringing(redis: ArqRedis) -> None:
    for _ in range(100):
        await redis.enqueue_job(ARRIVE, _defer_by=60)
    async with QueueBell(redis) as bell:
        bell.ring()

    assert SEND_DUE in await jobs(redis)


async def test_what_could_not_be_rung_is_rung_when_redis_is_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def failed() -> bool:
        return "cannot ring the workers" in caplog.text

    async def rang() -> bool:
        return sorted(await jobs(own)) == sorted([SEND_DUE, EXPAND, ARRIVE])

    async with connect_queue(f"unix://{tmp_path}/r.sock") as own, QueueBell(own) as bell:
        bell.ring()
        bell.ring_expand(7)
        bell.ring_at(datetime.now(UTC) + timedelta(seconds=60))
        await eventually_yes(failed)
        async with redis_server(tmp_path / "r.sock"):
            await eventually_yes(rang)


async def test_a_redis_that_does_not_answer_delays_nobody() -> None:
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    frozen = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = frozen.sockets[0].getsockname()[1]
    async with connect_queue(f"redis://127.0.0.1:{port}/0") as redis:
        bell = QueueBell(redis)
        async with bell:
            before = time.monotonic()
            bell.ring()
            assert time.monotonic() - before < 0.25
    assert time.monotonic() - before < 2
    frozen.close()
    await frozen.wait_closed()


async def test_a_connection_is_given_back_by_one_who_is_cancelled_while_leaving(tmp_path: Path) -> None:
    """That is when redis-py sends UNWATCH, to a Redis that does not answer at the time."""
    socket = tmp_path / "redis.sock"
    watched, leave = asyncio.Event(), asyncio.Event()
    async with redis_server(socket) as server, connect_queue(f"unix://{socket}") as redis:

        async def watch() -> None:
            async with redis.pipeline() as together:
                await together.watch("key")
                watched.set()
                await leave.wait()

        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            watching = asyncio.create_task(watch())
            await watched.wait()
            server.send_signal(signal.SIGSTOP)
            leave.set()
            for _ in range(5):
                await asyncio.sleep(0)
            watching.cancel()
            await asyncio.wait([watching])
            server.send_signal(signal.SIGCONT)
            gc.collect()
    assert not [str(warning.message) for warning in told]


async def test_the_names_are_those_the_worker_knows(context: Context) -> None:
    worker = create_worker(context)

    assert set(worker.functions) == {SEND_DUE, EXPAND, ARRIVE, BROADCAST, DISCARD, SWEEP, RUN_SCHEDULES, RETIRE}
    await worker.pool.aclose()


@pytest.mark.parametrize(
    "raw",
    [
        pickle.dumps({"t": None, "f": SEND_DUE, "a": (), "k": {}, "et": 1}),
        b"\xff\xfe",
        b"",
        b"[]",
        b'{"t":null,"f":"send_due","a":[],"k":{},"et":1,"more":1}',
        b'{"t":null,"f":"send_due","a":[1],"k":{},"et":1}',
        b'{"t":null,"f":"send_due","a":[],"k":{"a":1},"et":1}',
        b'{"t":null,"f":"expand","a":["text"],"k":{},"et":1}',
        b'{"t":null,"f":"expand","a":[],"k":{},"et":1}',
        b'{"t":null,"f":"expand","a":[0],"k":{},"et":1}',
        b'{"t":null,"f":"discard","a":["secret"],"k":{},"et":1}',
        b'{"t":null,"f":"os.system","a":["secret"],"k":{},"et":1}',
        b'{"t":null,"f":"broadcast","a":[{"title":"\xff"}],"k":{},"et":1}',
        b'{"t":null,"f":"broadcast","a":"secret","k":{},"et":1}',
        b"[" * 100_000,
        b'{"t":null,"f":"\xff","a":[],"k":{},"et":1}',
    ],
)
def test_what_is_no_job_of_ours_is_read_as_one_that_runs_nothing_of_it(raw: bytes) -> None:
    assert decode_job(raw) == {"t": None, "f": DISCARD, "a": [], "k": {}, "et": 0}


def test_a_job_is_decoded_as_it_was_encoded() -> None:
    for name, arguments in ((EXPAND, [7]), (SEND_DUE, []), (BROADCAST, [{"title": "x"}, "key"])):
        job: dict[str, Any] = {"t": None, "f": name, "a": arguments, "k": {}, "et": 1}

        assert decode_job(encode_job(job)) == job
