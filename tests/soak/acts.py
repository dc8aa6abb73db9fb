"""The ways to hurt something, each prepared for one thing in particular."""

import asyncio
import os
import random
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress

import msgspec
from redis.asyncio import Redis as Client
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from belfry.up.kept import Kept
from belfry.up.redis import Redis
from tests.smtp_sink import Fault as Answer
from tests.soak.member import Member
from tests.soak.plan import Plan
from tests.soak.scene import Scene
from tests.up.witness import children, gone

BACK_SECONDS = 30.0


class Act(msgspec.Struct, frozen=True):
    """A fault about to be done. Without `heal` it is over as soon as it is done; `lasts`, in seconds, is how long it is
    held where that is not the plan's to say."""

    target: str
    do: Callable[[], Awaitable[None]]
    heal: Callable[[], Awaitable[None]] | None = None
    lasts: float | None = None


Prepare = Callable[[Scene, Plan, random.Random], Act]
Members = Callable[[Scene], list[Member]]


# Web processes and workers


def killed(members: Members) -> Prepare:
    def prepare(scene: Scene, _: Plan, rng: random.Random) -> Act:
        member = rng.choice(members(scene))
        return Act(member.name, member.kill, member.start)

    return prepare


def stopped(members: Members, *, within: float) -> Prepare:
    def prepare(scene: Scene, _: Plan, rng: random.Random) -> Act:
        member = rng.choice(members(scene))
        return Act(member.name, lambda: member.stop(within=within), member.start)

    return prepare


def frozen(members: Members, *, past_lease: bool = False) -> Prepare:
    def prepare(scene: Scene, plan: Plan, rng: random.Random) -> Act:
        member = rng.choice(members(scene))

        async def freeze() -> None:
            member.freeze()

        async def thaw() -> None:
            member.thaw()

        return Act(member.name, freeze, thaw, plan.lease_seconds * 1.3 if past_lease else None)

    return prepare


def no_workers(scene: Scene, _: Plan, __: random.Random) -> Act:
    async def kill() -> None:
        for member in scene.workers:
            await member.kill()

    async def start() -> None:
        for member in scene.workers:
            await member.start()

    return Act("all workers", kill, start)


# PostgreSQL and Redis. Their keepers start them again when they end.


def server_frozen(which: Callable[[Scene], Kept]) -> Prepare:
    def prepare(scene: Scene, _: Plan, __: random.Random) -> Act:
        server = which(scene)
        pids: list[int] = []

        async def freeze() -> None:
            pids.extend([server.pid, *children(server.pid)])
            _signal(pids, signal.SIGSTOP)

        async def thaw() -> None:
            _signal(pids, signal.SIGCONT)

        return Act(server.program.name, freeze, thaw)

    return prepare


def server_down(which: Callable[[Scene], Kept]) -> Prepare:
    def prepare(scene: Scene, _: Plan, __: random.Random) -> Act:
        server = which(scene)

        async def start() -> None:
            await server.start()

        return Act(server.program.name, server.stop, start)

    return prepare


def redis_killed(which: Callable[[Scene], Redis]) -> Prepare:
    def prepare(scene: Scene, _: Plan, __: random.Random) -> Act:
        server = which(scene)

        async def kill() -> None:
            await _ended(server.pid, signal.SIGKILL)

        async def back() -> None:
            async with asyncio.timeout(BACK_SECONDS), Client.from_url(server.url) as client:
                while True:
                    with suppress(RedisError, OSError):
                        await client.ping()
                        return
                    await asyncio.sleep(0.05)

        return Act(server.program.name, kill, back, 0.0)

    return prepare


def redis_told(which: Callable[[Scene], Redis], *command: str) -> Prepare:
    def prepare(scene: Scene, _: Plan, __: random.Random) -> Act:
        async def tell() -> None:
            async with Client.from_url(which(scene).url) as client:
                await client.execute_command(*command)

        return Act(" ".join(command), tell)

    return prepare


def postgres_immediately_stopped(scene: Scene, _: Plan, __: random.Random) -> Act:
    async def stop() -> None:
        await _ended(scene.postgres.pid, signal.SIGQUIT)

    return Act(scene.postgres.program.name, stop, lambda: _answers(scene), 0.0)


def backend_killed(scene: Scene, _: Plan, rng: random.Random) -> Act:
    """kill -9 of one connection's process: PostgreSQL ends all the others and recovers, as after a crash."""

    async def kill() -> None:
        await _answers(scene)  # so that there is one at least
        commands = children(scene.postgres.pid).items()
        backends = [pid for pid, command in commands if command.startswith("postgres: belfry")]
        await _ended(rng.choice(backends), signal.SIGKILL)

    return Act(scene.postgres.program.name, kill, lambda: _answers(scene), 0.0)


def backends_terminated(scene: Scene, _: Plan, __: random.Random) -> Act:
    statement = text("""
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
    """)

    async def terminate() -> None:
        async with scene.db.statement() as tx:
            await tx.execute(statement)

    return Act(scene.postgres.program.name, terminate)


async def _answers(scene: Scene) -> None:
    async with asyncio.timeout(BACK_SECONDS):
        while True:
            with suppress(SQLAlchemyError, OSError):
                async with scene.db.statement() as tx:
                    await tx.execute(text("SELECT 1"))
                    return
            await asyncio.sleep(0.05)


async def _ended(pid: int, number: signal.Signals) -> None:
    _signal([pid], number)
    await gone(pid)


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):  # a connection's process, and its client has gone
            os.kill(pid, number)


# The mail server


def smtp_says(place: str, what: str | Answer) -> Prepare:
    """To all who come to this place. Whoever is connected is hung up on first, so as to come to the early ones too."""

    def prepare(scene: Scene, _: Plan, __: random.Random) -> Act:
        async def say() -> None:
            scene.sink.always(place, what)
            scene.sink.hang_up()

        return Act(place, say, lambda: _recovered(scene))

    return prepare


def smtp_refuses(scene: Scene, _: Plan, __: random.Random) -> Act:
    return Act("its ports", scene.sink.refuse, scene.sink.listen)


def smtp_slow(scene: Scene, _: Plan, __: random.Random) -> Act:
    async def slow() -> None:
        scene.sink.pace = 1.0

    return Act("every reply", slow, lambda: _recovered(scene))


def smtp_frozen(scene: Scene, _: Plan, __: random.Random) -> Act:
    async def freeze() -> None:
        scene.sink.freeze()

    return Act("every place", freeze, lambda: _recovered(scene))


async def _recovered(scene: Scene) -> None:
    scene.sink.recover()
