"""Who is here, over all processes, and after each of the ways to leave."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import msgspec
import pytest
from redis.asyncio import Redis

from belfry.realtime.presence import KEEP_SECONDS, MOST_AT_ONCE, Presence, connect_presence
from belfry.settings import Settings
from belfry.up import redis as embedded
from belfry.up.redis import Redis as Server
from db import Database
from tests.people import Person
from tests.processes import web
from tests.serving import Serving, serving


@pytest.fixture
async def redis() -> AsyncIterator[Server]:
    """A Redis that may be hurt."""
    async with embedded.running(say=lambda _: None) as server:
        yield server


@pytest.fixture
async def belfry(settings: Settings, redis: Server, db: Database) -> AsyncIterator[Serving]:
    async with serving(msgspec.structs.replace(settings, redis_url=redis.url)) as running:
        yield running


async def shows(admin: Person, *expected: tuple[Person, int], within: float = 5) -> None:
    """Ask until the answer is as expected."""
    wanted = [{"user_id": person.id, "email": person.email, "streams": streams} for person, streams in expected]
    await becomes(lambda: admin.get("/v1/presence"), wanted, within=within)


async def becomes(ask: Callable[[], Awaitable[Any]], wanted: object, *, within: float = 5) -> None:
    found = None
    try:
        async with asyncio.timeout(within):
            while True:
                found = await ask()
                if found == wanted:
                    return
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"expected {wanted}, found {found}") from None


async def test_streams_are_counted_over_all_processes(belfry: Serving, ada: Person, bob: Person, eve: Person) -> None:
    await shows(eve)
    async with serving(belfry.settings) as second, AsyncExitStack() as later:
        there = bob.at(second.url)
        later.push_async_callback(there.client.aclose)
        async with AsyncExitStack() as stack:
            for person in (bob, bob, bob, ada):
                await stack.enter_async_context(person.stream())
            for _ in range(2):
                await later.enter_async_context(there.stream())
            await shows(eve, (ada, 1), (bob, 5))
            async with bob.stream():
                await shows(eve, (ada, 1), (bob, 6))
            await shows(eve, (ada, 1), (bob, 5))
        await shows(eve, (bob, 2))
        admin_there = eve.at(second.url)
        later.push_async_callback(admin_there.client.aclose)
        await shows(admin_there, (bob, 2))
        async with ada.stream():
            await shows(eve, (ada, 1), (bob, 2))
    await shows(eve)


async def test_a_process_that_stops_takes_its_streams_with_it_at_once(
    belfry: Serving, bob: Person, eve: Person
) -> None:
    async with AsyncExitStack() as stack:
        async with serving(belfry.settings) as second:
            there = bob.at(second.url)
            stack.push_async_callback(there.client.aclose)
            await stack.enter_async_context(there.stream())
            await shows(eve, (bob, 1))
        assert await eve.get("/v1/presence") == []


async def test_a_process_that_is_killed_is_forgotten(belfry: Serving, bob: Person, eve: Person) -> None:
    async with web(belfry.settings) as process, AsyncExitStack() as stack:
        there = bob.at(process.url)
        stack.push_async_callback(there.client.aclose)
        for _ in range(2):
            await stack.enter_async_context(there.stream())
        await shows(eve, (bob, 2))
        async with bob.stream():
            await shows(eve, (bob, 3))
            await process.end(signal.SIGKILL)
            await shows(eve, (bob, 1), within=KEEP_SECONDS + 1)


async def test_what_redis_forgets_is_told_again(belfry: Serving, redis: Server, bob: Person, eve: Person) -> None:
    async with bob.stream(), bob.stream(), Redis.from_url(redis.url) as client:
        await shows(eve, (bob, 2))
        await client.flushall()
        await shows(eve, (bob, 2))
        await client.flushall()
        async with eve.stream():
            await shows(eve, (bob, 2), (eve, 1))


async def test_only_admins_may_know(ada: Person, bob: Person) -> None:
    for person in (ada, bob):
        assert (await person.client.get("/v1/presence")).status_code == 403


async def test_without_redis_nobody_knows_until_it_is_back(
    belfry: Serving, redis: Server, bob: Person, eve: Person
) -> None:
    async with bob.stream():
        await shows(eve, (bob, 1))
        await redis.stop()
        await _is_unavailable(eve)
        await redis.start()
        await shows(eve, (bob, 1), within=8)
        os.kill(redis.pid, signal.SIGSTOP)
        try:
            await _is_unavailable(eve)
        finally:
            os.kill(redis.pid, signal.SIGCONT)
        await shows(eve, (bob, 1), within=8)


async def _is_unavailable(admin: Person) -> None:
    started = time.monotonic()
    answer = await admin.client.get("/v1/presence")

    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    assert int(answer.headers["retry-after"]) > 0
    assert time.monotonic() - started < 1


async def test_thousands_who_come_at_once_are_all_told_and_told_again(redis: Server) -> None:
    """Below the API: so many streams would take the test longer than the writing."""
    many = {number: 1 + number % 3 for number in range(1, 5 * MOST_AT_ONCE)}
    async with connect_presence(redis.url) as client, Presence(client, "presence", int) as presence:
        for user_id, streams in many.items():
            presence.changed(user_id, streams)
        for _ in range(2):
            await becomes(presence.streams, many)
            await client.flushall()
    async with connect_presence(redis.url) as client:
        assert [key async for key in client.scan_iter("belfry:presence:*")] == []


async def test_the_cap_on_streams_counts_those_of_all_processes(
    belfry: Serving, redis: Server, ada: Person, bob: Person
) -> None:
    few = msgspec.structs.replace(belfry.settings, streams_per_user=3)
    async with serving(few) as one, serving(few) as other, AsyncExitStack() as streams:
        here, there = bob.at(one.url), bob.at(other.url)
        for person in (here, here, there):
            await streams.enter_async_context(person.stream())
        await becomes(lambda: one.given.presence.elsewhere(bob.id), 1)
        await becomes(lambda: other.given.presence.elsewhere(bob.id), 2)
        refused = [await each.client.get("/v1/stream", params={"poll": "1"}) for each in (here, there)]
        async with ada.at(one.url).stream():
            pass
        await redis.stop()
        async with there.stream(), there.stream():  # each process keeps to the cap by itself
            alone = await there.client.get("/v1/stream", params={"poll": "1"})
        await redis.start()
        for person in (here, there):
            await person.client.aclose()

    assert [(answer.status_code, "retry-after" in answer.headers) for answer in [*refused, alone]] == [(429, True)] * 3


@pytest.mark.slow
async def test_a_process_that_died_does_not_count_against_the_cap_for_long(belfry: Serving, bob: Person) -> None:
    async with web(belfry.settings) as process, bob.at(process.url).stream():
        await becomes(lambda: belfry.given.presence.elsewhere(bob.id), 1)
        await process.end(signal.SIGKILL)
        await becomes(lambda: belfry.given.presence.elsewhere(bob.id), 0, within=KEEP_SECONDS + 3)
