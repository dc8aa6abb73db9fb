"""One message to all streams, while each of them hears of things of its own, leaves, joins, and falls behind."""

import asyncio
import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from sqlalchemy import text

from belfry.inbox import changes
from belfry.realtime.formats import SSE, dialect
from belfry.realtime.resume import Reader
from belfry.realtime.stream import Phase, Stream
from belfry.realtime.sweep import SLICE
from belfry.settings import Settings
from db import Database
from db.queries import inbox
from db.queries.marks import Mark
from tests.people import Person
from tests.realtime import unannounced
from tests.realtime.client import Client
from tests.realtime.raw import eventually, parse
from tests.rows import waits_for_a_lock
from tests.serving import Serving

LONG_AGO = 3_600.0
LOCK_NOTIFICATIONS = text("LOCK TABLE notifications")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Nothing here is repaired by the position check, unless a test asks for one."""
    return msgspec.structs.replace(settings, position_check_seconds=LONG_AGO)


class Inside:
    """A stream of the hub's without a connection; the one of a client that does not keep up pauses inside a write."""

    def __init__(self, belfry: Serving, person: Person, pauses: Callable[[], bool]) -> None:
        hub = belfry.given.live.hub
        session_id, _ = belfry.given.tokens.read(person.access_token)
        self.person = person
        self.written = bytearray()
        self.stream = Stream(
            hub,
            user_id=person.id,
            session_id=session_id,
            expires_at=datetime.now(UTC) + timedelta(hours=1),
            cursor="0.0",
            dialect=dialect(SSE),
        )
        self._pauses = pauses
        self._paused = False
        self.stream.write = self._write
        self.stream.hang_up = lambda _: None
        hub.add(self.stream)

    def _write(self, data: bytes) -> None:
        assert self.stream.phase is not Phase.CLOSED
        self.written += data
        if not self._paused and self._pauses():  # a transport says so once
            self._paused = True
            self.stream.paused()

    def drain(self) -> None:
        if self._paused:
            self._paused = False
            self.stream.resumed()


async def test_a_sweep_keeps_order_and_badge_with_joins_and_leaves_in_the_middle(
    belfry: Serving, ada: Person, bob: Person, eve: Person, db: Database
) -> None:
    hub, chance, people = belfry.given.live.hub, random.Random(7), [ada, bob, eve]
    there: list[Inside] = []

    def come() -> None:
        there.append(Inside(belfry, chance.choice(people), lambda: chance.random() < 0.02))

    for _ in range(2 * SLICE + 50):
        come()
    await eventually(lambda: not hub.behind)
    busy = asyncio.gather(
        *[ada.broadcast() for _ in range(12)],
        *[ada.send(to=chance.choice(people).id, channels=["inbox"]) for _ in range(12)],
        *[each.mark("read", through=1) for each in people],
    )
    while not busy.done():
        hub.remove(there.pop(chance.randrange(len(there))).stream)
        come()
        chance.choice(there).drain()
        await asyncio.sleep(0)
    await busy
    truth = {each.id: await _truth(each) for each in people}
    async with db.snapshot() as tx:
        stand = (await inbox.positions(tx, [each.id for each in people])).values()
    final = {at.user_id: f"id: {at.modseq}.{at.broadcast_modseq}\n".encode() for at in stand}

    def arrived() -> bool:
        for each in there:
            each.drain()
        return all(final[each.person.id] in each.written for each in there)

    await eventually(arrived, within=30)
    for each in there:
        client = Client()
        for event in parse(bytes(each.written)):
            client.take(event)
        assert (client.badge, [item["id"] for item in client.shown]) == truth[each.person.id]


async def _truth(person: Person) -> tuple[int, list[int]]:
    page = await person.inbox(page_size=100)
    return page["unread"], [item["id"] for item in page["items"]]


async def test_a_stream_ahead_of_the_process_has_the_others_told_too(
    ada: Person, bob: Person, db: Database, redis_url: str
) -> None:
    async with ada.stream() as behind:
        await behind.next("open")
        late = await unannounced.broadcast(db, ada)
        async with bob.stream() as ahead:
            assert (await ahead.next("open")).id == "0.1"
            assert (await behind.next("count")).id == "0.1"
            await unannounced.announce(redis_url, late)
            await ada.broadcast("next")
            for events in (ahead, behind):
                await events.until("0.2")
    assert [event.name for event in behind.seen] == ["open", *["notification", "count"] * 2]
    assert [event.name for event in ahead.seen] == ["open", "notification", "count"]


async def test_broadcasts_that_cross_on_the_way_arrive_in_order(
    ada: Person, bob: Person, db: Database, redis_url: str
) -> None:
    async with bob.stream() as events:
        await events.next("open")
        one, two, three = [await unannounced.broadcast(db, ada, title) for title in ("one", "two", "three")]
        await unannounced.announce(redis_url, three, one, two, one)
        await events.until("0.3")
        await unannounced.broadcast(db, ada, "lost")
        await unannounced.announce(redis_url, await unannounced.broadcast(db, ada, "five"))
        await events.until("0.5")
    titles = [event.data["title"] for event in events.seen if event.name == "notification"]
    assert titles == ["one", "two", "three", "lost", "five"]
    assert [event.id for event in events.seen if event.carries_id] == [f"0.{number}" for number in range(6)]


async def test_personal_messages_that_cross_or_are_lost_leave_no_hole(
    ada: Person, bob: Person, db: Database, redis_url: str
) -> None:
    async with bob.stream() as events:
        await events.next("open")
        one, two = [await unannounced.sent(db, ada, bob, title) for title in ("one", "two")]
        await unannounced.announce(redis_url, two, one, two)
        await events.until("2.0")
        await unannounced.sent(db, ada, bob, "lost")
        await unannounced.announce(redis_url, await unannounced.sent(db, ada, bob, "four"))
        await events.until("4.0")
    assert [event.data["title"] for event in events.seen if event.name == "notification"] == [
        "one",
        "two",
        "lost",
        "four",
    ]
    assert events.seen[-1].data == {"count": 4, "total": True}


async def test_removing_a_broadcast_counts_everybody_anew(
    ada: Person, bob: Person, db: Database, redis_url: str
) -> None:
    old, new = await ada.broadcast("old"), await ada.broadcast("new")
    await ada.mark("read", ids=[old["id"]])
    async with ada.stream() as has_read, bob.stream() as has_not:
        for events in (has_read, has_not):
            await events.next("open")
        await unannounced.announce(redis_url, await unannounced.removed(db, old["id"]))
        for events in (has_read, has_not):
            assert (await events.next()).data == {"state": "deleted", "ids": [old["id"]]}
            assert (await events.next()).data == {"count": 1, "total": True}
        await ada.broadcast("newest")
        for person, events, at in ((ada, has_read, "1.4"), (bob, has_not, "0.4")):
            await events.until(at)
            assert await person.unread() == 2
    assert [item["id"] for item in (await bob.inbox())["items"]][1:] == [new["id"]]


async def test_a_client_that_falls_behind_at_a_removal_is_told_no_more_until_it_reads(
    belfry: Serving, ada: Person, bob: Person, db: Database, redis_url: str
) -> None:
    old, pauses = await ada.broadcast("old"), False
    inside = Inside(belfry, bob, lambda: pauses)
    async with ada.stream() as others:
        await eventually(lambda: inside.stream.phase is Phase.LIVE)
        pauses = True
        await unannounced.announce(redis_url, await unannounced.removed(db, old["id"]))
        await eventually(lambda: inside.stream.phase is Phase.LAGGING)
        written = len(inside.written)
        await ada.broadcast("new")
        await others.until("0.3")
    async with ada.stream("0.0") as others:  # whoever waited to be read for has been by now
        await others.until("0.3")
    assert (inside.stream.phase, len(inside.written)) == (Phase.LAGGING, written)
    pauses = False
    inside.drain()
    await eventually(lambda: b"id: 0.3\n" in inside.written)
    client = Client()
    for event in parse(bytes(inside.written)):
        client.take(event)
    assert (client.badge, [item["title"] for item in client.shown]) == (1, ["new"])


async def test_what_comes_while_a_position_is_read_again_is_not_forgotten(
    belfry: Serving, ada: Person, bob: Person, db: Database
) -> None:
    """Its client falls behind and is back before the answer is, which was read before the commit."""
    async with db.begin() as tx:
        message = await unannounced.sent_in(tx, ada, bob, "meanwhile")
        await tx.execute(LOCK_NOTIFICATIONS)
        inside = Inside(belfry, bob, lambda: False)
        await waits_for_a_lock(db)
        belfry.given.live.hub.receive(message)
        inside.stream.paused()
        inside.stream.resumed()
    await eventually(lambda: b"id: 1.0\n" in inside.written)


async def test_what_nobody_heard_of_is_found_for_a_stream_whose_position_was_read_before_it(
    belfry: Serving, ada: Person, bob: Person, db: Database
) -> None:
    """The position check comes after the commit, and before the answer that was read before it."""
    checked = asyncio.Event()

    async def hold_on() -> None:
        async with db.begin() as tx:
            await tx.execute(LOCK_NOTIFICATIONS)
            await checked.wait()

    async with db.begin() as tx:
        await unannounced.sent_in(tx, ada, bob, "lost")
        await tx.execute(LOCK_NOTIFICATIONS)
        holding = asyncio.create_task(hold_on())
        await waits_for_a_lock(db)
        inside = Inside(belfry, bob, lambda: False)
        await waits_for_a_lock(db, how_many=2)
    await Reader(belfry.given.live.hub, db, replay_limit=100).check_positions()
    checked.set()
    await holding
    await eventually(lambda: b"id: 1.0\n" in inside.written)


async def test_a_mark_that_overtakes_a_removal_waits_for_the_count(
    belfry: Serving, ada: Person, bob: Person, db: Database
) -> None:
    """All three come with one read from Redis, so the mark finds the broadcasts received and not yet written."""
    old = await ada.broadcast("old")
    await bob.mark("read", ids=[old["id"]])
    async with bob.stream("0.0") as events:
        await events.until("1.1")
        new = await unannounced.broadcast(db, ada, "new")
        removed = await unannounced.removed(db, old["id"])
        item = json.loads(new.events[0].data)
        async with db.begin() as tx:
            marked = await changes.mark(tx, bob.id, Mark.READ, [item["id"]])
        assert marked.message is not None
        for message in (new, removed, marked.message):
            belfry.given.live.hub.receive(message)
        await events.until("2.3")
    client = Client()
    for event in events.seen:
        client.take(event)
    assert (client.badge, [shown["state"] for shown in client.shown]) == (0, ["read"])


async def test_a_removal_nobody_heard_of_is_a_reset(
    ada: Person, bob: Person, belfry: Serving, db: Database, redis_url: str
) -> None:
    old = await ada.broadcast("old")
    async with bob.stream() as events:
        await events.next("open")
        await unannounced.removed(db, old["id"])
        await unannounced.announce(redis_url, await unannounced.broadcast(db, ada, "new"))
        reset = await events.next()
        await events.until("0.3")
    assert (reset.name, reset.data) == ("reset", {"reason": "position too old", "unread": 1})
    assert await bob.unread() == 1
