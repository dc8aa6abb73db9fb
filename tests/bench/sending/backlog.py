"""A million recipients: creating their e-mails, and whether the queue minds that so many wait."""

import asyncio
from statistics import median
from time import monotonic, perf_counter

import msgspec
from sqlalchemy import text

from db import Database
from db.queries import deliveries
from tasks.context import open_context
from tasks.sweep import sweep
from tests.bench.report import Figure, figure
from tests.bench.sending import crew, mails
from tests.bench.stage import Stage
from tests.bench.streams.crew import memory_kb

BOUND = 0.3
MOST_GROWN = 1.3
CLAIMED = 100
NOBODY = "smtp://127.0.0.1:9"  # nothing is sent meanwhile
FINISHED = text("SELECT finished_at IS NOT NULL FROM expansions WHERE notification_id = :id")
EXPANDED = text("SELECT expanded FROM expansions WHERE notification_id = :id")


class Size(msgspec.Struct, frozen=True, kw_only=True):
    few: int = 1_000
    many: int = 1_000_000
    repeats: int = 40


async def measure(stage: Stage, size: Size) -> list[Figure]:
    task = stage.progress.add_task("backlog: making people", total=4)
    async with stage.database() as db, crew.sink(stage, 0) as sink:
        people = await mails.people(db, size.many)
        await mails.personal(db, people[:1000], size.few)
        await mails.tidied(db)
        stage.progress.update(task, description=f"backlog: {size.few:,} wait", advance=1)
        few = await _times(stage, db, size)
        await mails.forget(db)
        stage.progress.update(task, description=f"backlog: creating {size.many:,} e-mails", advance=1)
        notification = await mails.broadcast(db)
        async with crew.worker(stage, sink, smtp_url=NOBODY) as pid:
            await _until(db, EXPANDED, notification)
            memory, began = memory_kb(pid), monotonic()
            most = memory
            while not await _is(db, FINISHED, notification):
                most = max(most, memory_kb(pid))
                await asyncio.sleep(0.05)
            seconds = monotonic() - began
        await mails.tidied(db)
        stage.progress.update(task, description=f"backlog: {size.many:,} wait", advance=1)
        many = await _times(stage, db, size)
        stage.progress.advance(task)
    kinds = zip(("a claim", "a sweep"), few, many, strict=True)
    return [
        figure("creating e-mails", "rows/s", [size.many / seconds], bound=BOUND),
        figure(f"creating {size.many:,} e-mails", "s", [seconds], bound=BOUND),
        figure("memory of the worker grew meanwhile by", "MB", [(most - memory) / 1e3], bound=BOUND),
        *(
            each
            for kind, before, after in kinds
            for each in (
                figure(f"{kind}, {size.few:,} wait", "ms", [median(before)], bound=BOUND),
                figure(f"{kind}, {size.many:,} wait", "ms", [median(after)], bound=BOUND),
                figure(f"{kind}, {size.many:,} : {size.few:,}", "x", [median(after) / median(before)], bound=BOUND,
                       most=MOST_GROWN),
            )
        ),
    ]  # fmt: skip


async def _times(stage: Stage, db: Database, size: Size) -> tuple[list[float], list[float]]:
    """Milliseconds of claims that are taken back, and of sweeps."""
    claims, sweeps = [], []
    for _ in range(size.repeats):
        async with db.begin() as tx:
            began = perf_counter()
            letters = await deliveries.claim(tx, limit=CLAIMED, lease_seconds=120, worker="w")
            claims.append((perf_counter() - began) * 1e3)
            assert len(letters) == CLAIMED
            await tx.rollback()
    async with open_context(stage.settings) as context:
        for _ in range(size.repeats):
            began = perf_counter()
            await sweep(context)
            sweeps.append((perf_counter() - began) * 1e3)
    return claims, sweeps


async def _until(db: Database, statement: object, notification: int) -> None:
    async with asyncio.timeout(60):
        while not await _is(db, statement, notification):  # noqa: ASYNC110  # PostgreSQL has no event for it
            await asyncio.sleep(crew.GLANCE)


async def _is(db: Database, statement: object, notification: int) -> bool:
    async with db.statement() as tx:
        return bool(await tx.scalar(statement, {"id": notification}))  # type: ignore[call-overload]
