"""The migrations and the models say the same, forwards, backwards and twice at once."""

import asyncio
import os
from collections.abc import AsyncIterator

import msgspec
import pytest
from advanced_alchemy.alembic.commands import AlembicCommands
from sqlalchemy import text
from sqlalchemy.engine import make_url

from belfry.settings import Settings
from db import Database, connect
from db.migrate import newest_revision, revision
from db.models import metadata
from db.queries import expansions
from tests.processes import belfry_command
from tests.rows import broadcast, users


@pytest.fixture
async def empty(database_server: str) -> AsyncIterator[Database]:
    """A database without tables."""
    name = f"belfry_migrations_{os.getpid()}"
    server = connect(database_server, pool_size=1)
    async with server.statement() as tx:
        await tx.execute(text(f"CREATE DATABASE {name}"))
    db = connect(make_url(database_server).set(database=name).render_as_string(hide_password=False))
    yield db
    await db.close()
    async with server.statement() as tx:
        await tx.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    await server.close()


async def test_broadcasts_from_before_they_were_counted_are_counted(empty: Database) -> None:
    config = connect(empty.config.connection_string or "").config
    await asyncio.to_thread(AlembicCommands(config).upgrade, "0006")
    everyone = await users(empty, 5)
    counted = await broadcast(empty)
    async with empty.begin() as tx:
        await expansions.expand(tx, counted)
        for user_id, status in zip(everyone, ("sent", "sent", "failed", "cancelled", "pending"), strict=True):
            given = {"user": user_id, "status": status}
            await tx.execute(text("UPDATE deliveries SET status = :status WHERE user_id = :user"), given)
    columns = text("SELECT total, expanded, sent, failed, ended FROM expansions")

    await asyncio.to_thread(AlembicCommands(config).downgrade, "0006-1")
    await asyncio.to_thread(AlembicCommands(config).upgrade, "0006")

    async with empty.statement() as tx:
        assert tuple((await tx.execute(columns)).one()) == (5, 5, 2, 1, 4)


async def tables(db: Database) -> set[str]:
    async with db.statement() as tx:
        return set(await tx.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")))


async def test_migrating_twice_at_once_and_again_makes_the_schema_of_the_models_and_can_be_taken_back(
    empty: Database, settings: Settings
) -> None:
    url = empty.config.connection_string
    assert url is not None
    settings = msgspec.structs.replace(settings, database_url=url)
    both = await asyncio.gather(*(belfry_command(settings, "migrate") for _ in range(2)))
    again = await belfry_command(settings, "migrate")
    for code, output, errors in (*both, again):
        assert (code, errors) == (0, "")
        assert output.endswith(f"The database is at revision {newest_revision(empty)}.\n")
    async with empty.statement() as tx:
        assert await tx.scalar(text("SELECT count(*) FROM broadcast_clock")) == 1
    assert await revision(empty) == newest_revision(empty)
    assert await tables(empty) == {*metadata.tables, "alembic_version"}

    await asyncio.to_thread(AlembicCommands(connect(url).config).check)  # raises where a model says something else
    await asyncio.to_thread(AlembicCommands(connect(url).config).downgrade, "base")
    assert await tables(empty) == {"alembic_version"}
    assert (await belfry_command(settings, "migrate"))[0] == 0
    assert await tables(empty) == {*metadata.tables, "alembic_version"}
