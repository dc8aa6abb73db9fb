"""A web process that may open no more files turns clients away, at no cost, and takes them again when it can."""

import asyncio
import resource
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import msgspec
import pytest

from belfry.settings import Settings
from db import Database
from tests.people import Person
from tests.processes import open_files, processor_seconds, web
from tests.realtime import unannounced
from tests.realtime.raw import eventually

CHECK = 0.5
ROOM = 40
TOO_MANY = 3 * ROOM
WATCHED = 1.0
IDLE = 0.3  # of a core; a loop around `accept` would take all of one


@contextmanager
def crowded(pid: int, port: int) -> Iterator[None]:
    """More clients at the door than the process may open files, who say nothing and stay."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    usual = resource.prlimit(pid, resource.RLIMIT_NOFILE, (open_files(pid) + ROOM, hard))
    clients = [socket.socket() for _ in range(TOO_MANY)]
    try:
        for client in clients:
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", port))
        yield
    finally:
        for client in clients:
            client.close()
        resource.prlimit(pid, resource.RLIMIT_NOFILE, usual)


async def asked(person: Person, url: str) -> int:
    """The status of a request on a connection of its own."""
    async with httpx.AsyncClient(base_url=url, headers=person.client.headers, timeout=5) as client:
        return (await client.get("/v1/me")).status_code


async def test_who_is_connected_is_served_and_who_comes_is_turned_away_until_there_is_room(
    settings: Settings, db: Database, ada: Person, bob: Person
) -> None:
    quick = msgspec.structs.replace(settings, position_check_seconds=CHECK)
    async with web(quick) as process:
        there = bob.at(process.url)
        async with there.stream() as events:
            await there.unread()
            before = open_files(process.pid)
            with crowded(process.pid, process.port):
                await eventually(lambda: open_files(process.pid) >= before + ROOM - 1)
                for _ in range(3):
                    with pytest.raises(httpx.TransportError):
                        await asked(bob, process.url)
                await unannounced.sent(db, ada, bob)
                await events.until("1.0")
                answer = await there.client.get("/v1/notifications/unread-count")
                assert answer.status_code in (200, 503), "one that needs one more connection to the database cannot be"
                used = processor_seconds(process.pid)
                await asyncio.sleep(WATCHED)
                assert processor_seconds(process.pid) - used < IDLE * WATCHED
            await eventually(lambda: open_files(process.pid) <= before)
            for _ in range(3):
                assert await asked(bob, process.url) == 200
            assert await there.unread() == 1
            async with bob.at(process.url).stream("0.0") as later:
                await later.until("1.0")
                await there.send()
                await asyncio.gather(events.until("2.0"), later.until("2.0"))
        await there.client.aclose()
