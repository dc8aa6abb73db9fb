"""PostgreSQL, where every promise is kept. Models, queries and migrations; nothing here knows what is above it."""

import asyncio
import select
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import Any

from advanced_alchemy.config import AlembicAsyncConfig, EngineConfig, SQLAlchemyAsyncConfig
from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, InvalidatePoolError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

__all__ = ["Database", "Tx", "connect", "is_passing"]

DRIVER = "postgresql+psycopg"

# A frozen or overloaded server must cost a request seconds, not for ever; psycopg alone would wait on.
SERVER_SIDE_LIMITS = (
    "-c statement_timeout=30s -c lock_timeout=5s -c idle_in_transaction_session_timeout=60s -c timezone=UTC"
)
CONNECT_SECONDS = 5
POOL_WAIT_SECONDS = 5
PING_AFTER_SECONDS = 1.0
# The limits above are the server's own, and a frozen one keeps none of them. psycopg gives it 10 s more to answer.
USE_SECONDS = 35

Tx = AsyncConnection
"""An open transaction. Functions that take one neither commit nor roll back: whoever opened it does."""


class Database:
    """One pool of connections and the three ways to use it. Each raises `TimeoutError` where the server is frozen."""

    def __init__(self, config: SQLAlchemyAsyncConfig) -> None:
        self.config = config
        engine: AsyncEngine = config.get_engine()
        _check_before_use(engine)
        self._autocommit = engine
        self._transaction = engine.execution_options(isolation_level="READ COMMITTED")
        self._snapshot = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Tx]:
        """Open a transaction. It is committed when the block has ended, and rolled back if the block raised."""
        async with asyncio.timeout(USE_SECONDS), self._transaction.begin() as tx:
            yield tx

    @asynccontextmanager
    async def statement(self) -> AsyncIterator[Tx]:
        """Run single statements, each a transaction of its own and committed when it returns."""
        async with asyncio.timeout(USE_SECONDS), self._autocommit.connect() as connection:
            yield connection

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Tx]:
        """Read several things as of one moment (REPEATABLE READ, read only)."""
        async with asyncio.timeout(USE_SECONDS), self._snapshot.begin() as tx:
            yield tx

    async def close(self) -> None:
        await self._autocommit.dispose()


def connect(url: str, *, pool_size: int = 10) -> Database:
    """Prepare a pool for `postgresql://...`; nothing is opened until it is used."""
    return Database(
        SQLAlchemyAsyncConfig(
            connection_string=make_url(url).set(drivername=DRIVER).render_as_string(hide_password=False),
            alembic_config=AlembicAsyncConfig(
                script_location=str(Path(__file__).parent / "migrations"), version_table_name="alembic_version"
            ),
            engine_config=EngineConfig(
                hide_parameters=True,  # in exceptions: what somebody wrote is nothing for logs
                isolation_level="AUTOCOMMIT",  # what most uses want; the others change a connection there and back
                pool_size=pool_size,
                max_overflow=0,  # connections beyond the pool are closed after one use: under load, new ones all day
                pool_timeout=POOL_WAIT_SECONDS,
                pool_use_lifo=True,  # the one used last is warm, and need not be asked whether it still works
                connect_args={"connect_timeout": CONNECT_SECONDS, "options": SERVER_SIDE_LIMITS},
            ),
        )
    )


def _check_before_use(engine: AsyncEngine) -> None:
    """See that a connection still works before it is used.

    `pool_pre_ping` asks the server every time, which costs a busy one a round trip for each use. A server that ends a
    connection says so, and then there is something to read on it: that is looked at every time, and the server is
    asked only if there is, or after a rest in which it may have gone without a word.
    """

    @event.listens_for(engine.sync_engine, "checkin")
    def note(_: Any, record: Any) -> None:
        record.info["rests_since"] = monotonic()

    @event.listens_for(engine.sync_engine, "checkout")
    def check(connection: Any, record: Any, _: Any) -> None:
        rested = monotonic() - record.info.get("rests_since", float("-inf"))
        if rested <= PING_AFTER_SECONDS and not _something_to_read(connection.driver_connection.pgconn.socket):
            return
        dialect = engine.sync_engine.dialect
        try:
            dialect.do_ping(connection)
        except dialect.loaded_dbapi.Error as error:
            raise InvalidatePoolError from error


def _something_to_read(descriptor: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))


def is_passing(error: Exception) -> bool:
    """Whether the database was away, overloaded or out of time, so that trying again makes sense; else it is a bug."""
    if isinstance(error, OperationalError | InterfaceError | PoolTimeout | TimeoutError):
        return True
    return isinstance(error, DBAPIError) and error.connection_invalidated
