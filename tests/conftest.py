"""Real servers for every test. `BELFRY_TEST_DATABASE_URL` and `BELFRY_TEST_REDIS_URL` say where they are."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.engine import make_url

from belfry.settings import Settings
from db import Database, connect
from db.migrate import upgrade
from db.models import metadata
from tests.smtp_sink import Sink, smtp_sink

KEPT = "broadcast_clock"  # its one row is made by the migration


def _server(variable: str) -> str:
    url = os.environ.get(variable)
    if not url:
        pytest.exit(f"{variable} is not set", returncode=2)
    return url


async def _administer(url: str, statement: str) -> None:
    db = connect(url, pool_size=1)
    async with db.statement() as tx:
        await tx.execute(text(statement))
    await db.close()


@pytest.fixture(scope="session")
def database_url() -> Iterator[str]:
    """A database of this run's own, migrated."""
    server = _server("BELFRY_TEST_DATABASE_URL")
    name = f"belfry_test_{os.getpid()}"
    url = make_url(server).set(database=name).render_as_string(hide_password=False)
    with ThreadPoolExecutor(1) as thread:  # the migration runs an event loop of its own
        thread.submit(asyncio.run, _administer(server, f"CREATE DATABASE {name}")).result()
        try:
            thread.submit(upgrade, connect(url), say=lambda _: None).result()
            yield url
        finally:
            thread.submit(asyncio.run, _administer(server, f"DROP DATABASE {name} WITH (FORCE)")).result()


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    """The database, emptied."""
    db = connect(database_url)
    tables = ", ".join(table.name for table in metadata.sorted_tables if table.name != KEPT)
    async with db.statement() as tx:
        await tx.execute(text(f"TRUNCATE {tables} RESTART IDENTITY"))
        await tx.execute(text("UPDATE broadcast_clock SET modseq = 0, floor = 0"))
    yield db
    await db.close()


@pytest.fixture
async def redis_url() -> str:
    """Redis, emptied."""
    url = _server("BELFRY_TEST_REDIS_URL")
    async with Redis.from_url(url) as redis:
        await redis.flushdb()
    return url


@pytest.fixture
async def sink() -> AsyncIterator[Sink]:
    async with smtp_sink() as sink:
        yield sink


@pytest.fixture
def settings(database_url: str, redis_url: str, sink: Sink) -> Settings:
    return Settings(
        database_url=database_url,
        redis_url=redis_url,
        secret_key="0123456789abcdef0123456789abcdef",
        smtp_url=sink.url,
        mail_from="Belfry <belfry@example.org>",
        send_seconds=5.0,
        lease_seconds=20,
        sweep_seconds=1,
    )
