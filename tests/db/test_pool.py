"""The pool of connections."""

import os
from contextlib import AbstractAsyncContextManager, suppress

import pytest
from sqlalchemy import text

import db as pool
from db import Database, Tx, connect


async def _backend(tx: Tx) -> int:
    return int(await tx.scalar(text("SELECT pg_backend_pid()")))


async def test_a_connection_that_the_server_ended_is_replaced_before_it_is_used(
    database_url: str, db: Database
) -> None:
    other = connect(database_url, pool_size=1)
    async with other.statement() as tx:
        before = await _backend(tx)
    async with db.statement() as tx:
        await tx.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": before})

    async with other.begin() as tx:
        assert await _backend(tx) != before
    await other.close()


async def test_a_connection_that_rested_is_asked_whether_it_works(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "PING_AFTER_SECONDS", -1.0)
    other = connect(database_url, pool_size=1)
    async with other.statement() as tx:
        before = await _backend(tx)
        raw = (await tx.get_raw_connection()).driver_connection
        assert raw is not None
    os.close(raw.pgconn.socket)  # gone without a word

    async with other.begin() as tx:
        assert await _backend(tx) != before
    await other.close()


async def test_a_transaction_is_undone_when_its_block_raises_and_a_statement_is_not(db: Database) -> None:
    await _make_and_fail(db.begin(), "ada@example.com")
    await _make_and_fail(db.statement(), "bob@example.com")

    async with db.statement() as tx:
        assert (await tx.scalars(text("SELECT email FROM users"))).all() == ["bob@example.com"]


async def _make_and_fail(opened: AbstractAsyncContextManager[Tx], email: str) -> None:
    with suppress(ZeroDivisionError):
        async with opened as tx:
            await tx.execute(text("INSERT INTO users (email, password_hash) VALUES (:email, '')"), {"email": email})
            raise ZeroDivisionError
