"""PostgreSQL that answers nothing, and does not say so either."""

import asyncio
import os
import signal

import msgspec
import pytest

from belfry.settings import Settings
from belfry.up import postgres
from db import connect
from db.migrate import upgrade
from tests.serving import serving
from tests.up.witness import Said, children, passable_directory


async def test_a_frozen_database_is_told_from_a_dead_process_and_found_again(settings: Settings, said: Said) -> None:
    with passable_directory() as directory:
        async with postgres.running(directory / "data", say=said, durable=False) as server:
            await asyncio.to_thread(upgrade, connect(server.url), say=said)
            frozen = msgspec.structs.replace(settings, database_url=server.url)
            async with serving(frozen) as belfry, belfry.anonymous() as client:
                before = await client.get("/health/ready")
                processes = [server.pid, *children(server.pid)]
                for pid in processes:
                    os.kill(pid, signal.SIGSTOP)
                try:
                    ready, alive = await asyncio.gather(client.get("/health/ready"), client.get("/health/live"))
                finally:
                    for pid in processes:
                        os.kill(pid, signal.SIGCONT)
                after = await client.get("/health/ready")

    assert (before.status_code, after.status_code) == (200, 200)
    assert (ready.status_code, ready.json()["database"]) == (503, "away")
    assert alive.status_code == 200


@pytest.fixture
def said() -> Said:
    return Said()
