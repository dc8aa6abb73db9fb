"""Creating the e-mails of a broadcast by a real worker that is killed again and again."""

import asyncio
from pathlib import Path

import msgspec
from sqlalchemy import text

from belfry.settings import Settings
from db import Database
from db.queries.expansions import CHUNK
from tests.processes import worker as process
from tests.rows import broadcast, users
from tests.smtp_sink import smtp_sink

KILLS = 5
EXPANDED = text("SELECT expanded FROM expansions")
FINISHED = text("SELECT finished_at IS NOT NULL FROM expansions")
COUNT = text("SELECT count(*), count(DISTINCT user_id) FROM deliveries")
PROGRESS = text("SELECT expanded, total FROM expansions")


async def test_killed_five_times_midway_everyone_gets_exactly_one(
    settings: Settings, db: Database, tmp_path: Path
) -> None:
    async with smtp_sink() as gone:
        settings = msgspec.structs.replace(settings, smtp_url=gone.url)  # nothing is sent meanwhile
    audience = len(await users(db, (2 * KILLS + 2) * CHUNK))
    await broadcast(db)
    reached = 0
    for _ in range(KILLS):
        async with process(settings, tmp_path) as worker:
            reached = await _beyond(db, reached)
            worker.kill()
            await worker.wait()
    assert reached < audience
    async with process(settings, tmp_path), asyncio.timeout(30), db.statement() as tx:
        while not await tx.scalar(FINISHED):  # noqa: ASYNC110  # it is another process
            await asyncio.sleep(0.02)

    async with db.statement() as tx:
        assert (await tx.execute(COUNT)).one() == (audience, audience)
        assert (await tx.execute(PROGRESS)).one() == (audience, audience)


async def _beyond(db: Database, reached: int) -> int:
    """Wait until more e-mails exist than before; how many."""
    async with asyncio.timeout(30), db.statement() as tx:
        while (now := int(await tx.scalar(EXPANDED))) <= reached:  # noqa: ASYNC110  # it is another process
            await asyncio.sleep(0.002)
    return now
