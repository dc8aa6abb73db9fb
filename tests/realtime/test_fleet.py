"""Two web processes and two Redis servers, hurt under load: every stream ends complete, in order and with its badge."""

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import msgspec
import pytest
from redis.asyncio import Redis

from belfry.settings import Settings
from belfry.up import redis as embedded
from db import Database
from tests.realtime.fleet import BOTH, CHECK, SLOW_MACHINE, Fleet, eventually_listening, sailing
from tests.realtime.raw import eventually

MANY = 1_000
PIECE = "x" * 15_000


@pytest.fixture(params=[(150, 150)])
async def fleet(request: pytest.FixtureRequest, settings: Settings, db: Database) -> AsyncIterator[Fleet]:
    async with embedded.running(say=lambda _: None) as redis:
        apart = msgspec.structs.replace(settings, stream_redis_url=redis.url)
        assert apart.stream_redis_url != apart.redis_url
        async with sailing(apart, db, redis, streams=request.param) as fleet:
            yield fleet


@pytest.mark.parametrize("fleet", [(MANY, 100)], indirect=True)
async def test_the_streams_of_a_killed_process_go_on_at_the_other(fleet: Fleet) -> None:
    killed, other = fleet.webs
    theirs, others = fleet.of(killed), fleet.of(other)
    assert len(theirs) == MANY
    async with fleet.load.going_on():
        await fleet.more(20)
        await killed.end(signal.SIGKILL)
        await eventually(lambda: all(stream.at == other.url and stream.openings > 1 for stream in theirs), within=30)
        await fleet.more(20)
    await fleet.complete(within=CHECK + SLOW_MACHINE)
    assert {stream.openings for stream in others} == {1}


@pytest.mark.parametrize("fleet", [(MANY, 100)], indirect=True)
async def test_the_streams_of_a_stopped_process_come_to_the_other_spread_over_seconds(fleet: Fleet) -> None:
    stopped, other = fleet.webs
    theirs = fleet.of(stopped)
    assert len(theirs) == MANY
    for stream in theirs:
        stream.hurry = 1  # they come back when they were told to
    async with fleet.load.going_on():
        await fleet.more(10)
        began = time.monotonic()
        await stopped.end(signal.SIGTERM)
        took = time.monotonic() - began
        await eventually(lambda: all(stream.at == other.url and stream.openings == 2 for stream in theirs), within=30)
    came = sorted(stream.came[-1] - began for stream in theirs)
    histogram = sorted(Counter(int(each * 2) / 2 for each in came).items())
    print(f"gone after {took:.2f} s; came back, by half seconds: {histogram}")
    assert took < 2
    assert [len(stream.delays) for stream in theirs] == [1] * MANY, "each was told when to come back"
    assert came[-1] - came[0] >= 2
    assert max(count for _, count in histogram) < MANY / 3
    await fleet.complete(within=CHECK + SLOW_MACHINE)


@pytest.mark.parametrize("fleet", [(MANY // 2, MANY // 2)], indirect=True)
async def test_a_rolling_restart_loses_nothing(fleet: Fleet) -> None:
    async with fleet.load.going_on():
        for process in fleet.webs:
            await fleet.more(10)
            theirs = fleet.of(process)
            told = [(len(stream.delays) + 1, stream.openings + 1) for stream in theirs]
            await process.end(signal.SIGTERM)
            await eventually(
                lambda: [(len(s.delays), s.openings) for s in theirs] == told,  # noqa: B023
                within=30,
            )
            await process.start()
    await fleet.complete(within=CHECK + SLOW_MACHINE)


async def killed(fleet: Fleet) -> None:
    before = fleet.redis.pid
    os.kill(before, signal.SIGKILL)
    await eventually(lambda: fleet.redis.pid != before)


async def cut(fleet: Fleet) -> None:
    await eventually_listening(fleet.redis, BOTH)
    async with Redis.from_url(fleet.redis.url) as client:
        assert await client.execute_command("CLIENT", "KILL", "TYPE", "pubsub") == BOTH


async def overflowing(fleet: Fleet) -> None:
    """One process does not read for a moment, in which more is published than Redis keeps for it."""
    await eventually_listening(fleet.redis, BOTH)
    async with Redis.from_url(fleet.redis.url) as client, httpx.AsyncClient(timeout=10) as http:
        await client.config_set("client-output-buffer-limit", "pubsub 64kb 32kb 1")
        os.kill(fleet.webs[0].pid, signal.SIGSTOP)
        try:
            async with asyncio.timeout(20):
                while len(await client.client_list(_type="pubsub")) == BOTH:
                    await client.publish("belfry:inboxes", PIECE)  # what is none of ours is passed over
            for _ in range(5):
                await fleet.load.one(http, fleet.urls[1:])
        finally:
            os.kill(fleet.webs[0].pid, signal.SIGCONT)


async def down(fleet: Fleet) -> None:
    await fleet.redis.stop()
    await fleet.more(10)
    await fleet.redis.start()


async def frozen(fleet: Fleet) -> None:
    os.kill(fleet.redis.pid, signal.SIGSTOP)
    try:
        await fleet.more(10)
    finally:
        os.kill(fleet.redis.pid, signal.SIGCONT)


@pytest.mark.parametrize(
    "hurt", [killed, cut, overflowing, *(pytest.param(hurt, marks=pytest.mark.slow) for hurt in (down, frozen))]
)
async def test_what_the_redis_of_the_streams_loses_is_told_all_the_same(
    fleet: Fleet, hurt: Callable[[Fleet], Awaitable[None]]
) -> None:
    async with fleet.load.going_on():
        await fleet.more(10)
        for _ in range(2):
            await hurt(fleet)
            await fleet.more(10)
        await hurt(fleet)
    await fleet.complete(within=CHECK + SLOW_MACHINE)  # what was lost; from here on nothing helps but the check
    await eventually_listening(fleet.redis, BOTH)
    assert {stream.openings for stream in fleet.streams} == {1}, "no client noticed"
