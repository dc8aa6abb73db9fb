"""What Alembic runs for each command: connect, compare with the models, migrate in one transaction."""

import asyncio
from typing import TYPE_CHECKING, cast

from alembic import context
from sqlalchemy import Connection, text

from db.models import metadata

if TYPE_CHECKING:
    from advanced_alchemy.alembic.commands import AlembicCommandConfig
    from sqlalchemy.ext.asyncio import AsyncEngine

MIGRATION_LOCK = 0x62656C667279  # "belfry": two migrations at once wait for each other


def migrate(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=metadata, compare_type=True, compare_server_default=True)
    with context.begin_transaction():
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        context.run_migrations()


async def main() -> None:
    engine = cast("AsyncEngine", cast("AlembicCommandConfig", context.config).engine)
    in_a_transaction = engine.execution_options(isolation_level="READ COMMITTED")  # by itself it would autocommit
    async with in_a_transaction.connect() as connection:
        await connection.run_sync(migrate)
    await engine.dispose()


asyncio.run(main())
