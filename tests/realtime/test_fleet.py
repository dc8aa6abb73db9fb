"""Two web processes and two Redis servers, hurt under load: every stream ends complete, in order and with its badge."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import httpx
import msgspec
import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import text

from belfry.settings import Settings
from belfry.up import redis as embedded
from belfry.up.redis import Redis as Server
from db import Database
from db.queries import inbox
from tests.processes import Web, web
from tests.realtime import history
from tests.realtime.raw import eventually
from tests.realtime.returning import Load, Login, Returning, logins

PEOPLE = 15
STREAMS = 300
CHECK = 1.0
SLOW_MACHINE = 4.0
BOTH = 2
PIECE = "x" * 15_000


class Fleet:
    def __init__(self, webs: list[Web], redis: Server, db: Database, people: list[Login]) -> None:
        self.webs = webs
        self.redis = redis
        self.db = db
        self.urls = [web.url for web in webs]
        self.load = Load(people, self.urls)
        self.streams = [
            Returning(people[number % PEOPLE], self.urls, first=number // PEOPLE) for number in range(STREAMS)
        ]

    async def all_open(self, *, openings: int = 1, within: float = 30) -> None:
        await eventually(
            lambda: all(stream.at and stream.openings >= openings for stream in self.streams), within=within
        )

    async def more(self, count: int) -> None:
        """Let the load go on for so many sends."""
        until = self.load.sent + count
        await eventually(lambda: self.load.sent >= until, within=30)

    async def complete(self, *, within: float) -> None:
        """All streams reach the position that the database is at now, and told every number once and in order."""
        people = {stream.login.user_id for stream in self.streams}
        async with self.db.snapshot() as tx:
            positions = await inbox.positions(tx, people)
            rows = (await tx.execute(text("SELECT id, user_id, modseq FROM notifications ORDER BY modseq"))).all()
        assert len(rows) == self.load.sent, "sent, and there"
        final = {user: f"{at.modseq}.{at.broadcast_modseq}" for user, at in positions.items()}

        def late() -> list[tuple[str, str]]:
            stand = [(stream.client.last_id, final[stream.login.user_id]) for stream in self.streams]
            return [(at, end) for at, end in stand if at != end]

        with suppress(TimeoutError):
            await eventually(lambda: not late(), within=within)
        assert late() == []
        broadcasts = [row.id for row in rows if row.user_id is None]
        everybody = set(broadcasts)
        for stream in self.streams:
            user = stream.login.user_id
            assert stream.client.resets == []
            own = [row.id for row in rows if row.user_id == user]
            assert [id_ for id_ in stream.told if id_ not in everybody] == own
            assert [id_ for id_ in stream.told if id_ in everybody] == broadcasts
            assert stream.client.badge == positions[user].total
            await history.check_badges(self.db, user, stream.client.badges)


@pytest.fixture
async def fleet(settings: Settings, db: Database) -> AsyncIterator[Fleet]:
    async with AsyncExitStack() as stack:
        redis = await stack.enter_async_context(embedded.running(say=lambda _: None))
        given = msgspec.structs.replace(
            settings, stream_redis_url=redis.url, position_check_seconds=CHECK, streams_per_user=STREAMS
        )
        assert given.stream_redis_url != given.redis_url
        await stack.enter_async_context(history.kept(db))
        webs = await asyncio.gather(*[stack.enter_async_context(web(given)) for _ in range(BOTH)])
        people = await logins(db, given, PEOPLE)
        fleet = Fleet(list(webs), redis, db, people)
        await eventually_listening(redis, BOTH)
        async with streaming(fleet):
            await fleet.all_open()
            yield fleet


@asynccontextmanager
async def streaming(fleet: Fleet) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(stream.run()) for stream in fleet.streams]
    try:
        yield
    finally:
        broken = [task for task in tasks if task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for task in broken:
            await task


async def listeners(redis: Server) -> int:
    async with Redis.from_url(redis.url) as client:
        return len(await client.client_list(_type="pubsub"))


async def eventually_listening(redis: Server, count: int) -> None:
    async with asyncio.timeout(20):
        while True:
            with suppress(RedisError, OSError):
                if await listeners(redis) == count:
                    return
            await asyncio.sleep(0.05)


async def test_the_streams_of_a_killed_process_go_on_at_the_other(fleet: Fleet) -> None:
    killed, other = fleet.webs
    theirs = [stream for stream in fleet.streams if stream.at == killed.url]
    async with fleet.load.going_on():
        await fleet.more(20)
        await killed.end(signal.SIGKILL)
        await eventually(lambda: all(stream.at == other.url and stream.openings > 1 for stream in theirs), within=30)
        await fleet.more(20)
    assert len(theirs) == STREAMS // 2
    await fleet.complete(within=CHECK + SLOW_MACHINE)
    assert {stream.openings for stream in fleet.streams if stream not in theirs} == {1}


async def test_a_rolling_restart_loses_nothing_and_spreads_those_who_come_back(fleet: Fleet) -> None:
    async with fleet.load.going_on():
        for process in fleet.webs:
            await fleet.more(10)
            theirs = [stream for stream in fleet.streams if stream.at == process.url]
            told = [(len(stream.delays) + 1, stream.openings + 1) for stream in theirs]
            await process.end(signal.SIGTERM)
            await eventually(
                lambda: [(len(s.delays), s.openings) for s in theirs] == told,  # noqa: B023
                within=30,
            )
            delays = [stream.delays[-1] for stream in theirs]
            assert max(delays) - min(delays) >= 2_000
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


@pytest.mark.parametrize("hurt", [killed, cut, overflowing])
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
