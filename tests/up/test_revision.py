from pathlib import Path

import psycopg

from belfry.up import postgres
from belfry.up.revision import is_newest
from db import connect
from db.migrate import newest_revision
from tests.up.witness import Said


async def test_only_the_newest_revision_needs_no_migration(room: Path, said: Said) -> None:
    async with postgres.running(room / "data", say=said, durable=False) as server:
        assert not await is_newest(server.url)
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute("CREATE TABLE alembic_version AS SELECT 'long ago' AS version_num")
            assert not await is_newest(server.url)
            connection.execute("UPDATE alembic_version SET version_num = %s", [newest_revision(connect(server.url))])
        assert await is_newest(server.url)
    assert not await is_newest(server.url)
