"""Whether the database is at the newest revision, without the seconds it takes to load all that can migrate it."""

import re
from importlib.util import find_spec
from pathlib import Path

import psycopg


async def is_newest(database_url: str) -> bool:
    """False also when in doubt: to migrate once more does no harm, and says what is wrong."""
    conninfo = database_url.replace("postgresql+psycopg:", "postgresql:", 1)
    try:
        async with await psycopg.AsyncConnection.connect(conninfo, connect_timeout=10) as connection:
            found = await (await connection.execute("SELECT version_num FROM alembic_version")).fetchall()
    except psycopg.Error:
        return False
    return {row[0] for row in found} == _heads()


def _heads() -> set[str]:
    """The revisions that no other comes after."""
    spec = find_spec("db")
    assert spec is not None
    assert spec.origin is not None
    sources = [path.read_text() for path in (Path(spec.origin).parent / "migrations" / "versions").glob("*.py")]
    revisions = {found[1] for source in sources if (found := re.search(r'^revision\b.*= ["\'](.+)["\']', source, re.M))}
    before = {
        found[1] for source in sources if (found := re.search(r'^down_revision\b.*= ["\'](.+)["\']', source, re.M))
    }
    return revisions - before
