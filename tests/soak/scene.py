"""Everything a soak runs on: PostgreSQL, two Redis servers, two web processes, some workers and a mail server."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import IO

import msgspec

from belfry.settings import Settings
from belfry.up import postgres, redis
from belfry.up.postgres import Postgres
from belfry.up.redis import Redis
from db import Database, connect
from db.migrate import upgrade
from tests.processes import Process, Web, Worker, free_port
from tests.realtime import history
from tests.soak.evidence import Died, Stopped
from tests.soak.member import Member
from tests.soak.plan import Plan
from tests.soak.sink import SoakSink, sink_for, worker_name
from tests.up.witness import passable_directory

WEBS = 2


class Scene(msgspec.Struct, kw_only=True):
    settings: Settings
    postgres: Postgres
    queue: Redis
    events: Redis
    sink: SoakSink
    db: Database
    urls: list[str]
    webs: list[Member] = []
    workers: list[Member] = []
    died: list[Died] = []
    stopped: list[Stopped] = []

    def member(self, name: str, process: Process) -> Member:
        return Member(name, process, died=self.died, stopped=self.stopped)


@asynccontextmanager
async def staged(plan: Plan, log: IO[bytes]) -> AsyncIterator[Scene]:
    """A scene of its own, with an empty database that keeps what it promises. `log` takes what the processes say."""

    def say(line: str) -> None:
        log.write(f"{line}\n".encode())

    async with AsyncExitStack() as stack:
        directory = stack.enter_context(passable_directory())
        database = await stack.enter_async_context(postgres.running(directory / "data", say=say))
        queue = await stack.enter_async_context(redis.running(say=say))
        events = await stack.enter_async_context(redis.running(say=say))
        ports = [free_port() for _ in range(plan.workers)]
        sink = await stack.enter_async_context(sink_for(ports))
        db = connect(database.url)
        stack.push_async_callback(db.close)
        await asyncio.to_thread(upgrade, connect(database.url), say=say)  # it runs an event loop of its own
        await stack.enter_async_context(history.kept(db))
        settings = plan.settings(_settings(database, queue, events, directory))
        webs = [Web(settings, stderr=log) for _ in range(WEBS)]
        scene = Scene(
            settings=settings,
            postgres=database,
            queue=queue,
            events=events,
            sink=sink,
            db=db,
            urls=[web.url for web in webs],
        )
        scene.webs = [scene.member(f"web {number + 1}", web) for number, web in enumerate(webs)]
        for number, port in enumerate(ports):
            at_port = msgspec.structs.replace(settings, smtp_url=f"smtp://belfry:soak@127.0.0.1:{port}")
            scene.workers.append(scene.member(worker_name(number), Worker(at_port, stderr=log)))
        for member in (*scene.webs, *scene.workers):
            stack.push_async_callback(member.close)
            await member.start()
        yield scene


def _settings(database: Postgres, queue: Redis, events: Redis, directory: Path) -> Settings:
    return Settings(
        access_token_seconds=24 * 3600,  # a long run must not end with its tokens
        database_url=database.url,
        redis_url=queue.url,
        stream_redis_url=events.url,
        secret_key=secrets.token_urlsafe(48),
        mail_from="Belfry <belfry@example.org>",
        data_dir=str(directory),
    )
