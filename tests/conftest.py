"""Real servers for every test: our own from wheels, or those that BELFRY_TEST_DATABASE_URL and _REDIS_URL name."""

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from types import FrameType

import pytest
from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.engine import make_url

from belfry.settings import Settings
from belfry.up import postgres, redis
from db import Database, connect
from db.migrate import upgrade
from db.models import metadata
from tasks.context import Context, open_context
from tests.mailing import Mailboxes
from tests.people import Person
from tests.serving import Serving, serving
from tests.smtp_sink import Sink, smtp_sink
from tests.up.witness import passable_directory

KEPT = ("broadcast_clock", "installation")  # their one row is made by the migration


_TABLES = [table for table in reversed(metadata.sorted_tables) if table.name not in KEPT]
_NAMES = ", ".join(table.name for table in _TABLES)
# DELETE is a quarter of what TRUNCATE costs where there are few rows; but it leaves a file as large as it was.
EMPTY = text(f"""
    DO $$ BEGIN
    IF (SELECT max(pg_relation_size(name::regclass)) FROM unnest(string_to_array('{_NAMES}', ', ')) name) > 2 ^ 20 THEN
        TRUNCATE {_NAMES} RESTART IDENTITY;
    ELSE
        {"".join(f"DELETE FROM {table.name};" for table in _TABLES)}
        {"".join(f"ALTER TABLE {table.name} ALTER id RESTART;" for table in _TABLES if "id" in table.columns)}
    END IF;
    UPDATE broadcast_clock SET modseq = 0, floor = 0;
    END $$
""")  # noqa: S608


def pytest_sessionstart() -> None:
    """A service whose live path breaks ends its process, which here is the tests': let a test fail that shows why."""

    def fail(_: int, __: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        raise SystemExit("SIGTERM: somebody wants this to end, or a service broke; then what it logged says why")

    signal.signal(signal.SIGTERM, fail)


def _quiet(_: str) -> None:
    pass


async def _administer(url: str, statement: str) -> None:
    db = connect(url, pool_size=1)
    async with db.statement() as tx:
        await tx.execute(text(statement))
    await db.close()


@pytest.fixture(scope="session")
async def database_server() -> AsyncIterator[str]:
    if url := os.environ.get("BELFRY_TEST_DATABASE_URL"):
        yield url
        return
    with passable_directory() as directory:
        async with postgres.running(directory / "data", say=_quiet, durable=False) as server:
            yield server.url


@pytest.fixture(scope="session")
async def redis_server() -> AsyncIterator[str]:
    if url := os.environ.get("BELFRY_TEST_REDIS_URL"):
        yield url
        return
    async with redis.running(say=_quiet) as server:
        yield server.url


@pytest.fixture(scope="session")
async def database_url(database_server: str) -> AsyncIterator[str]:
    """A database of this run's own, migrated."""
    name = f"belfry_test_{os.getpid()}"
    url = make_url(database_server).set(database=name).render_as_string(hide_password=False)
    await _administer(database_server, f"CREATE DATABASE {name}")
    try:
        await asyncio.to_thread(upgrade, connect(url), say=_quiet)  # it runs an event loop of its own
        yield url
    finally:
        await _administer(database_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    """The database, emptied."""
    db = connect(database_url)
    async with db.statement() as tx:
        await tx.execute(EMPTY)
    yield db
    await db.close()


@pytest.fixture
async def redis_url(redis_server: str) -> str:
    """Redis, emptied."""
    async with Redis.from_url(redis_server) as client:
        await client.flushdb()
    return redis_server


@pytest.fixture
async def sink() -> AsyncIterator[Sink]:
    async with smtp_sink() as sink:
        yield sink


@pytest.fixture
def settings(database_url: str, redis_url: str, sink: Sink) -> Settings:
    return Settings(
        database_url=database_url,
        redis_url=redis_url,
        secret_key="9kTqSx2vB7mHjR4wLzYc8nFdGp5aVeUo",
        smtp_url=sink.url,
        mail_from="Belfry <belfry@example.org>",
        send_seconds=5.0,
        lease_seconds=20,
        sweep_seconds=1,
        sends_per_member=0,  # tests hurry
    )


@pytest.fixture
def turns_stay_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Guesses come back after hours instead of minutes: on a slow machine, too, none does in the middle of a test."""
    monkeypatch.setattr("belfry.accounts.throttle.MINUTE", 3600.0)


@pytest.fixture
async def context(settings: Settings, db: Database) -> AsyncIterator[Context]:
    """What a worker's jobs are given."""
    async with open_context(settings) as context:
        yield context


@pytest.fixture
def mailboxes(context: Context, sink: Sink) -> Mailboxes:
    return Mailboxes(context, sink)


@pytest.fixture
async def belfry(settings: Settings, db: Database) -> AsyncIterator[Serving]:
    """The web service, on a socket; it hears what is published."""
    async with serving(settings) as running:
        await running.hears()
        yield running


@pytest.fixture
async def people(belfry: Serving) -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


@pytest.fixture
async def ada(belfry: Serving, people: AsyncExitStack) -> Person:
    """A sender."""
    return await people.enter_async_context(belfry.person("ada@example.com", role="sender", name="Ada Lovelace"))


@pytest.fixture
async def bob(belfry: Serving, people: AsyncExitStack) -> Person:
    """A member."""
    return await people.enter_async_context(belfry.person("bob@example.com", role="member"))


@pytest.fixture
async def eve(belfry: Serving, people: AsyncExitStack) -> Person:
    """An admin."""
    return await people.enter_async_context(belfry.person("eve@example.com", role="admin"))


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that nobody trusts yet, with its key in the same file."""
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=sink", "-days", "1",  # noqa: S607
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", path, "-out", path.with_suffix(".crt")],
        check=True,
        capture_output=True,
    )  # fmt: skip
    path.write_text(path.read_text() + path.with_suffix(".crt").read_text())
    return path
