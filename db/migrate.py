"""Bring a database to the newest schema, saying what is done while it is done."""

import logging
from collections.abc import Callable

from advanced_alchemy.alembic.commands import AlembicCommands
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from db import Database

__all__ = ["newest_revision", "revision", "upgrade"]


class _Progress(logging.Handler):
    def __init__(self, say: Callable[[str], None]) -> None:
        super().__init__()
        self._say = say

    def emit(self, record: logging.LogRecord) -> None:
        if record.msg.startswith("Running"):
            self._say(record.getMessage())


def upgrade(db: Database, *, say: Callable[[str], None]) -> None:
    """Run what migrations are missing, in one transaction. Blocks; call it where no event loop runs."""
    logger = logging.getLogger("alembic.runtime.migration")
    progress = _Progress(say)
    logger.setLevel(logging.INFO)
    logger.addHandler(progress)
    try:
        AlembicCommands(db.config).upgrade()
    finally:
        logger.removeHandler(progress)


def newest_revision(db: Database) -> str | None:
    """The revision these sources were written for."""
    return ScriptDirectory(db.config.alembic_config.script_location).get_current_head()


async def revision(db: Database) -> str | None:
    """The revision the database is at, or None before the first migration."""
    async with db.statement() as tx:
        try:
            found: str | None = await tx.scalar(text("SELECT version_num FROM alembic_version"))
        except ProgrammingError:
            return None
    return found
