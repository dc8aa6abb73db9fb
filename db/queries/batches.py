"""Deleting much, some at a time: one transaction over a million rows would run into its limits, and begin anew."""

from sqlalchemy import TextClause, text

from db import Tx

__all__ = ["BATCH", "delete_some", "some"]

BATCH = 5_000


def some(table: str, where: str) -> TextClause:
    """A statement that deletes up to `BATCH` rows of a table, there called `old`. What others have locked stays."""
    return text(f"""
        DELETE FROM {table} WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM {table} AS old WHERE {where} LIMIT {BATCH} FOR UPDATE SKIP LOCKED
        ))
    """)  # noqa: S608


async def delete_some(tx: Tx, statement: TextClause, **given: object) -> bool:
    """Whether there may be more."""
    return bool((await tx.execute(statement, given)).rowcount == BATCH)
