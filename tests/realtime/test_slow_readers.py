"""A client that stops reading delays nobody, costs little, catches up when it reads again, or is cut."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable

import msgspec
import pytest

from belfry.realtime.stream import Phase, Stream
from belfry.settings import Settings
from db import Database
from db.queries import notifications
from db.queries.notifications import Message
from tests.people import Person
from tests.realtime import raw
from tests.realtime.client import Client
from tests.realtime.raw import connected, eventually, raw_stream
from tests.serving import Serving, serving

LONG = "\u20ac" * 19_000  # 57 KB; some sixty of them fill every buffer of the kernel
MANY = 80
TINY = 2_048


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return msgspec.structs.replace(settings, heartbeat_seconds=0.5, lagging_seconds=60.0)


@pytest.fixture(params=["ours", "stock"])
async def belfry(request: pytest.FixtureRequest, settings: Settings, db: Database) -> AsyncIterator[Serving]:
    async with serving(settings, stock=request.param == "stock") as running:
        yield running


def of(belfry: Serving, person: Person) -> Stream:
    [stream] = belfry.given.live.hub.users[person.id]
    return stream


def buffered(stream: Stream) -> int:
    """What the server holds for a client."""
    transport = getattr(stream.write, "__self__", None)
    if transport is not None:
        return int(transport.get_write_buffer_size())
    [buffer] = [cell.cell_contents for cell in stream.write.__closure__ or () if type(cell.cell_contents) is bytearray]
    return len(buffer)


async def test_it_delays_nobody_and_catches_up_when_it_reads(belfry: Serving, ada: Person, bob: Person) -> None:
    async with raw_stream(bob, receive_buffer=TINY) as slow, ada.stream() as quick:
        await quick.next("open")
        await eventually(lambda: of(belfry, bob).phase is Phase.LIVE)
        for number in range(1, MANY + 1):
            sent = await ada.broadcast(f"number {number}", content=LONG)
            assert (await quick.next("notification")).data["id"] == sent["id"]
        lagging = of(belfry, bob)
        assert lagging.phase is Phase.LAGGING
        assert buffered(lagging) < 256 * 1024
        await bob.send("the last")
        await slow.until(ended_at(f"1.{MANY}"))
        client = Client()
        for event in slow.events:
            client.take(event)
    assert (client.last_id, client.badge, client.resets) == (f"1.{MANY}", MANY + 1, [])
    assert len(client.shown) == MANY + 1


async def test_a_long_replay_waits_for_its_reader(belfry: Serving, bob: Person, db: Database) -> None:
    message = Message(title="Missed", content=LONG, link=None, priority=3, tags=[], channels=["inbox"])
    async with db.begin() as tx:
        for _ in range(MANY):
            await notifications.insert(tx, [bob.id], message, sender_id=None)
    async with raw_stream(bob, receive_buffer=TINY, last_id="0.0") as slow:
        await eventually(lambda: bool(belfry.given.live.hub.users) and of(belfry, bob).phase is Phase.LAGGING)
        assert buffered(of(belfry, bob)) < 256 * 1024
        await slow.until(ended_at(f"{MANY}.0"))
        arrived = [event.data["id"] for event in slow.events if event.name == "notification"]
    assert arrived == sorted(set(arrived))
    assert len(arrived) == MANY


@pytest.mark.parametrize("belfry", ["ours"], indirect=True)
async def test_a_poll_is_answered_whole_however_slowly_it_is_read(belfry: Serving, bob: Person) -> None:
    await bob.send(content=LONG)
    for listener in belfry.server.servers[0].sockets:  # so that the kernel takes little of it, and we hold the rest
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, TINY)
    async with connected(belfry.url, receive_buffer=TINY) as slow:
        await slow.send(raw.request(bob, "/v1/stream?poll=1", last_id="0.0"))
        await slow.until(lambda received: b"event: open" in received)
        await eventually(lambda: not belfry.given.live.hub.open)
        for _ in range(25):  # a phone in a tunnel: the server has ended its answer long before it is read
            await slow.more(256)
            await asyncio.sleep(0.05)
        await slow.end()
    assert slow.events[-1].data == {"count": 1, "total": True}


@pytest.mark.parametrize("stock", [False, True])
async def test_it_is_cut_when_it_never_reads(settings: Settings, db: Database, stock: bool) -> None:
    impatient = msgspec.structs.replace(settings, lagging_seconds=0.5)
    async with (
        serving(impatient, stock=stock) as belfry,
        belfry.person("bob@example.com") as bob,
        raw_stream(bob, receive_buffer=TINY) as slow,
    ):
        hub, serves = belfry.given.live.hub, belfry.server.server_state
        await eventually(lambda: hub.open == 1)
        while hub.open:
            await bob.send(content=LONG)
        await eventually(lambda: not serves.tasks)
        if not stock:  # another protocol closes the connection, which ends when the client or the kernel does
            await eventually(lambda: len(serves.connections) == 1)
        await slow.end()


def ended_at(event_id: str) -> Callable[[bytes], bool]:
    """Whether the count that closes this position has come whole."""
    opening = f"id: {event_id}\nevent: count\n".encode()
    return lambda received: b"\n\n" in received.partition(opening)[2]
