"""How streams end: the token runs out, somebody logs out, the process stops."""

import asyncio
import signal
import time
from contextlib import AsyncExitStack

import msgspec
import pytest
from sqlalchemy import text

from belfry.settings import Settings
from db import Database
from tests.people import Person
from tests.processes import web
from tests.realtime.raw import eventually, raw_stream
from tests.serving import Serving, serving

MANY = 300
CHECK = 0.5
SLOW_MACHINE = 1.0
STUCK = "\u20ac" * 19_000


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return msgspec.structs.replace(settings, heartbeat_seconds=0.5, position_check_seconds=3_600.0)


async def test_a_stream_ends_when_its_token_does(settings: Settings, db: Database) -> None:
    brief = msgspec.structs.replace(settings, access_token_seconds=1)
    async with serving(brief) as belfry, belfry.person("bob@example.com") as bob, bob.stream() as events:
        await asyncio.wait_for(events.ended.wait(), 1 + brief.heartbeat_seconds + SLOW_MACHINE)
        await eventually(lambda: belfry.given.live.hub.open == 0)
    assert [event.name for event in events.seen] == ["open"]


async def test_logging_out_ends_the_streams_of_that_login_in_all_processes(
    belfry: Serving, settings: Settings, bob: Person
) -> None:
    async with serving(settings) as second, belfry.login(bob.email, bob.id) as other_login:
        here, there = bob, bob.at(second.url)
        async with here.stream() as one, there.stream() as two, other_login.at(second.url).stream() as other:
            assert (await here.client.post("/v1/auth/logout")).status_code == 204
            for events in (one, two):
                await asyncio.wait_for(events.ended.wait(), 5)
            await other_login.send()
            await other.next("notification")
        await there.client.aclose()
    assert [event.name for event in one.seen + two.seen] == ["open", "open"]


@pytest.mark.parametrize(
    "statement", ["DELETE FROM sessions", "UPDATE users SET disabled_at = now()", "DELETE FROM users"]
)
async def test_a_login_that_ended_unheard_is_found_by_the_position_check(
    settings: Settings, db: Database, statement: str
) -> None:
    looking = msgspec.structs.replace(settings, position_check_seconds=CHECK)
    async with (
        serving(looking) as belfry,
        belfry.person("bob@example.com") as bob,
        raw_stream(bob) as raw,
        bob.stream() as events,
    ):
        await raw.until(lambda received: b"event: open" in received)
        async with db.begin() as tx:
            await tx.execute(text(statement))
        ended = asyncio.gather(raw.end(), events.ended.wait())
        await asyncio.wait_for(ended, CHECK + SLOW_MACHINE)
        assert belfry.given.live.hub.users == {}
        assert (await bob.client.get("/v1/stream")).status_code == 401
        assert [event.name for event in raw.events + events.seen] == ["open", "open"]


async def test_a_stop_says_goodbye_and_another_process_goes_on(
    settings: Settings, belfry: Serving, ada: Person, bob: Person
) -> None:
    roomy = msgspec.structs.replace(settings, streams_per_user=MANY)
    async with web(roomy) as process, AsyncExitStack() as stack:
        there = ada.at(process.url)
        streams = await asyncio.gather(*[stack.enter_async_context(there.stream()) for _ in range(MANY)])
        slow = await stack.enter_async_context(raw_stream(bob.at(process.url), receive_buffer=2_048))
        before = await ada.broadcast("before")
        await asyncio.gather(*[events.until("0.1") for events in streams])
        for _ in range(40):
            await ada.send(to=bob.id, content=STUCK)
        started = time.monotonic()
        await process.end(signal.SIGTERM, within=5)
        took = time.monotonic() - started
        await asyncio.gather(*[events.next("reconnect") for events in streams])
        during = await ada.broadcast("during")
        waits = [events.seen[-1].data["after_ms"] for events in streams]
        async with ada.stream(streams[0].last_id) as resumed:
            await resumed.until("0.2")
        await slow.end()
        await there.client.aclose()
    assert took < 2
    assert max(waits) - min(waits) > 2_000
    assert [e.data["id"] for e in streams[0].seen + resumed.seen if e.name == "notification"] == [
        before["id"],
        during["id"],
    ]
