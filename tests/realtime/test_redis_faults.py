"""Redis goes away, freezes, forgets or lies: requests succeed, and every stream still ends where the database is."""

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator

import msgspec
import pytest
from redis.asyncio import Redis
from sqlalchemy import text
from structlog.testing import capture_logs

from belfry.realtime import frames
from belfry.realtime.frames import Alerted, BroadcastChanged, Event, InboxChanged, SessionEnded
from belfry.sending.bell import QUEUE, connect_queue
from belfry.settings import Settings
from belfry.up import redis as embedded
from belfry.up.redis import Redis as Server
from db import Database
from tests.people import Events, Person
from tests.realtime import unannounced
from tests.realtime.client import Client
from tests.realtime.raw import eventually, eventually_yes
from tests.serving import Serving, serving

CHECK = 0.5


@pytest.fixture
async def redis() -> AsyncIterator[Server]:
    """A Redis that may be hurt."""
    async with embedded.running(say=lambda _: None) as server:
        yield server


@pytest.fixture
async def belfry(settings: Settings, redis: Server, db: Database) -> AsyncIterator[Serving]:
    quick = msgspec.structs.replace(
        settings, redis_url=redis.url, position_check_seconds=CHECK, heartbeat_seconds=CHECK
    )
    async with serving(quick) as running:
        await running.hears()
        yield running


async def deaf(belfry: Serving) -> None:
    await eventually(lambda: not belfry.given.live.subscription.connected, within=5)


async def everything(ada: Person, bob: Person) -> str:
    """One of each kind of request, each answered with a 2xx and soon; the position bob's inbox is then at."""
    started = time.monotonic()
    first, second = [await ada.send(to=bob.id, title=title) for title in ("first", "second")]
    await ada.post("/v1/notifications/batch", 202, to=[bob.id, ada.id], title="both")
    await ada.broadcast()
    await bob.mark("read", ids=[first["id"]])
    await bob.mark("delete", through=second["id"])
    page = await bob.inbox(page_size=100)
    assert second["id"] not in {item["id"] for item in page["items"]}
    assert page["unread"] == await bob.unread() == sum(item["state"] == "unread" for item in page["items"])
    assert time.monotonic() - started < 9, "nine requests"
    return await position(bob)


async def position(person: Person) -> str:
    async with person.stream() as events:
        return (await events.next("open")).id


async def same(person: Person, events: Events) -> None:
    """What the stream brought is what the list shows."""
    client = Client()
    for event in events.seen:
        client.take(event)
    page = await person.inbox(page_size=100)
    assert client.resets == []
    assert (client.badge, [item["id"] for item in client.shown]) == (
        page["unread"],
        [item["id"] for item in page["items"]],
    )


async def test_redis_stopped_and_started_again_empty(belfry: Serving, redis: Server, ada: Person, bob: Person) -> None:
    async with bob.stream("0.0") as events:
        await events.until(await everything(ada, bob))
        await redis.stop()
        await deaf(belfry)
        await events.until(await everything(ada, bob), within=CHECK + 3)
        assert (await ada.client.post("/v1/alerts", json={"to": bob.id, "title": "Now"})).status_code == 503
        await redis.start()
        await belfry.hears()
        await events.until(await everything(ada, bob))
        await ada.post("/v1/alerts", 202, to=bob.id, title="Now")
        await events.next("desktop", within=3)
    await same(bob, events)


async def test_an_outage_is_said_once_by_each_that_notices(
    belfry: Serving, redis: Server, ada: Person, caplog: pytest.LogCaptureFixture
) -> None:
    for outages in (1, 2):
        with capture_logs() as logged:
            await redis.stop()
            await deaf(belfry)
            for _ in range(10):
                await ada.send(channels=["inbox", "email"])
            await redis.start()
            await belfry.hears()
            async with ada.stream() as events:
                await ada.send(channels=["inbox", "email"])
                await events.next("notification")
            await eventually_yes(lambda: rung(redis))
        told = Counter(entry["event"].partition(";")[0] for entry in logged if entry["log_level"] == "warning")
        assert told["events are not published"] == told["no connection for events"] == 1, told
        assert len([record for record in caplog.records if record.name == "belfry.bell"]) == outages


async def rung(redis: Server) -> bool:
    async with connect_queue(redis.url) as queue:
        return bool(await queue.zcard(QUEUE))


async def test_redis_forgets_everything_again_and_again(
    belfry: Serving, redis: Server, ada: Person, bob: Person
) -> None:
    async with bob.stream("0.0") as events, Redis.from_url(redis.url) as client:
        for _ in range(5):
            at, _ = await asyncio.gather(everything(ada, bob), client.flushall())
            await events.until(at)
    await same(bob, events)


async def test_redis_freezes(belfry: Serving, redis: Server, ada: Person, bob: Person) -> None:
    async with bob.stream("0.0") as events:
        await events.until(await everything(ada, bob))
        os.kill(redis.pid, signal.SIGSTOP)
        try:
            for request in (ada.send(to=bob.id), ada.broadcast(), bob.inbox(), bob.unread(), bob.mark("read", ids=[1])):
                async with asyncio.timeout(1):
                    await request
            await deaf(belfry)
            await events.until(await everything(ada, bob), within=CHECK + 3)
        finally:
            os.kill(redis.pid, signal.SIGCONT)
        await belfry.hears()
        await events.until(await everything(ada, bob))
    await same(bob, events)


async def test_the_listening_connection_is_killed_again_and_again(
    belfry: Serving, redis: Server, ada: Person, bob: Person
) -> None:
    async with bob.stream("0.0") as events, Redis.from_url(redis.url) as client:
        for _ in range(4):
            killed = asyncio.create_task(client.execute_command("CLIENT", "KILL", "TYPE", "pubsub"))
            at = await everything(ada, bob)
            await killed
            await events.until(at, within=CHECK + 3)
            await belfry.hears()
    await same(bob, events)


async def test_a_gap_is_looked_into_as_soon_as_it_is_over(
    settings: Settings, redis: Server, db: Database, ada: Person, bob: Person
) -> None:
    """No position check helps here."""
    patient = msgspec.structs.replace(settings, redis_url=redis.url, position_check_seconds=3_600.0)
    async with serving(patient) as belfry, belfry.person("carl@example.com") as carl:
        await belfry.hears()
        async with carl.stream() as events:
            await events.next("open")
            await redis.stop()
            await deaf(belfry)
            await unannounced.sent(db, ada, carl)
            await unannounced.broadcast(db, ada)
            await redis.start()
            await events.until("1.1", within=15)
    assert [event.name for event in events.seen] == ["open", "notification", "notification", "count"]


async def test_events_are_heard_while_the_look_into_a_gap_waits(
    belfry: Serving, redis: Server, db: Database, bob: Person
) -> None:
    async with bob.stream() as events, Redis.from_url(redis.url) as client:
        await events.next("open")
        async with db.begin() as tx:
            await tx.execute(text("LOCK TABLE inboxes IN ACCESS EXCLUSIVE MODE"))
            await client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
            await deaf(belfry)
            await belfry.hears()
            await unannounced.announce(redis.url, Alerted(bob.id, Event("desktop", b'{"title":"Now"}')))
            await events.next("desktop", within=3)


async def test_a_process_that_can_tell_nobody_loses_nothing(
    belfry: Serving, ada: Person, bob: Person, db: Database
) -> None:
    async with bob.stream("0.0") as events:
        for _ in range(3):
            await unannounced.sent(db, ada, bob)
            await unannounced.broadcast(db, ada)
            await events.until(await position(bob), within=CHECK + 3)
    await same(bob, events)


async def test_garbage_on_the_channels_is_passed_over(belfry: Serving, redis: Server, ada: Person, bob: Person) -> None:
    far, event = 10**18, Event("notification", b"{}")
    forged: list[frames.Message] = [
        InboxChanged(bob.id, far, 7, [event]),
        InboxChanged(bob.id, -1, 7, [event]),
        InboxChanged(bob.id + far, 1, 7, [event]),
        BroadcastChanged(far, True, [event]),
        BroadcastChanged(far, False, [event]),
        BroadcastChanged(-1, True, [event]),
        SessionEnded(bob.id, far),
    ]
    garbage = [
        b"",
        b"\xff\x00",
        b"\x80\x04K\x01.",
        b"{}",
        b"[1,2]",
        b"\x92\xa2\xff\xff\x00",
        b"\x91" * 100_000,
        b"\x99\xa5inbox\x01\x01\x01\x90\x00\x00" + b"\x91" * 100_000,
        os.urandom(4_096),
        *[frames.pack(each) for each in forged],
    ]
    async with bob.stream("0.0") as events, Redis.from_url(redis.url) as client:
        for data in garbage:
            for channel in (frames.INBOXES, frames.BROADCASTS):
                await client.publish(channel, data)
        for _ in range(2):
            await events.until(await everything(ada, bob))
        assert belfry.given.live.subscription.connected
    assert len(events.seen) < 40, "read again and again for a number that never was"
    await same(bob, events)


async def test_holes_are_still_found_after_a_number_that_never_was(
    settings: Settings, belfry: Serving, redis: Server, ada: Person, bob: Person, db: Database
) -> None:
    async with bob.stream("0.0") as events:
        await unannounced.announce(redis.url, BroadcastChanged(10**9, True, []))
        await eventually(lambda: belfry.given.live.hub.heard >= 10**9)
        await unannounced.broadcast(db, ada)
        await events.until("0.1", within=CHECK + 3)
    await same(bob, events)


async def test_a_broadcast_that_the_database_does_not_have_is_taken_back(
    belfry: Serving, redis: Server, ada: Person, bob: Person
) -> None:
    lost = BroadcastChanged(1, True, [Event("notification", b'{"id":1,"created_at":"2026-01-01T00:00:00Z"}')])
    async with bob.stream() as events:
        await events.next("open")
        await unannounced.announce(redis.url, lost)
        reset = await events.next("reset", within=CHECK + 3)
        sent = await ada.broadcast("the first")
        arrived = await events.next("notification")
        await events.until("0.1")
    assert (reset.data, reset.id) == ({"reason": "position ahead of the server", "unread": 0}, "0.0")
    assert arrived.data["id"] == sent["id"]
