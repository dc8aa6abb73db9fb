"""Two web processes with streams that come back, a load, and what must be true when both have been hurt."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import text

from belfry.settings import Settings
from belfry.up.redis import Redis as Server
from db import Database
from db.queries import inbox
from tests.processes import Web, web
from tests.realtime import history
from tests.realtime.client import Id
from tests.realtime.raw import eventually
from tests.realtime.returning import Load, Login, Returning, logins

PEOPLE = 15
CHECK = 1.0
SLOW_MACHINE = 4.0
BOTH = 2


class Fleet:
    def __init__(
        self,
        webs: list[Web],
        redis: Server,
        db: Database,
        people: list[Login],
        *,
        streams: tuple[int, int],
        channels: Sequence[str],
    ) -> None:
        self.webs = webs
        self.redis = redis
        self.db = db
        self.urls = [web.url for web in webs]
        self.load = Load(people, self.urls, channels=channels)
        self.streams = [
            Returning(people[number % PEOPLE], self.urls, first=at)
            for at, count in enumerate(streams)
            for number in range(count)
        ]

    def of(self, process: Web) -> list[Returning]:
        """The streams that are open at this process now."""
        return [stream for stream in self.streams if stream.at == process.url]

    @property
    def slowest(self) -> float:
        """Seconds that a send took at most."""
        return self.load.slowest

    @property
    def latest(self) -> float:
        """Seconds after which a stream was told of something, at most."""
        return max(stream.latest for stream in self.streams)

    def forget_how_long(self) -> None:
        self.load.slowest = 0.0
        for stream in self.streams:
            stream.latest = 0.0

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
        badges: dict[int, dict[Id, int]] = {user: {} for user in people}
        for stream in self.streams:
            user = stream.login.user_id
            assert stream.client.resets == []
            own = [row.id for row in rows if row.user_id == user]
            assert [id_ for id_ in stream.told if id_ not in everybody] == own
            assert [id_ for id_ in stream.told if id_ in everybody] == broadcasts
            assert stream.client.badge == positions[user].total
            for at, badge in stream.client.badges.items():
                assert badges[user].setdefault(at, badge) == badge, f"two badges at {at}"
        for user, seen in badges.items():
            await history.check_badges(self.db, user, seen)


@asynccontextmanager
async def sailing(
    settings: Settings, db: Database, redis: Server, *, streams: tuple[int, int], channels: Sequence[str] = ("inbox",)
) -> AsyncIterator[Fleet]:
    """A fleet with so many streams at each of its processes."""
    given = msgspec.structs.replace(settings, position_check_seconds=CHECK, streams_per_user=sum(streams))
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(history.kept(db))
        webs = await asyncio.gather(*[stack.enter_async_context(web(given)) for _ in range(BOTH)])
        people = await logins(db, given, PEOPLE)
        fleet = Fleet(list(webs), redis, db, people, streams=streams, channels=channels)
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
