"""PostgreSQL in trouble: a 503 that says when to try again, never a 2xx for what was not committed."""

import asyncio
import itertools
from contextlib import suppress
from typing import Any

import httpx
import psycopg
import pytest
from sqlalchemy import text

from db import Database
from tests.people import Person
from tests.realtime.raw import eventually_yes
from tests.serving import Serving
from tests.web.test_bad_input import row_counts

KEY = {"idempotency-key": "deploy-42"}
LOCK_SECONDS = 5  # what db.connect gives a statement to wait for a lock

FAILING_COMMIT = """
    CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION 'staged' USING ERRCODE = '{code}';
    END $$;
    CREATE CONSTRAINT TRIGGER staged AFTER INSERT ON notifications
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fail();
"""


def is_passing_trouble(answer: httpx.Response) -> bool:
    return (
        answer.status_code == 503
        and answer.headers["content-type"] == "application/problem+json"
        and int(answer.headers["retry-after"]) > 0
    )


async def waiting_for_lock(db: Database) -> int:
    """The backend that waits for a lock, once there is one."""
    statement = text("""
        SELECT pid FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock' AND state = 'active'
    """)
    async with asyncio.timeout(5), db.statement() as tx:
        while (pid := await tx.scalar(statement)) is None:
            pass  # PostgreSQL tells nobody when a backend begins to wait; each look is a round trip
    return int(pid)


async def test_idle_connections_that_the_server_ended_are_replaced(ada: Person, db: Database) -> None:
    await asyncio.gather(*(ada.unread() for _ in range(8)))
    async with db.statement() as tx:
        # With a patience it returns when the backends are gone, and by then each has told its client.
        ended = await tx.scalars(
            text("""
                SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid()
            """)
        )

    assert len(ended.all()) > 1
    assert await asyncio.gather(*(ada.unread() for _ in range(8))) == [0] * 8
    await ada.send()


async def test_a_backend_that_dies_under_a_request_costs_that_request_only(ada: Person, db: Database) -> None:
    async with db.begin() as tx:
        await tx.execute(text("SELECT 1 FROM inboxes WHERE user_id = :id FOR UPDATE"), {"id": ada.id})
        sending = asyncio.create_task(ada.client.post("/v1/notifications", json={"title": "One"}, headers=KEY))
        pid = await waiting_for_lock(db)
        async with db.statement() as other:
            await other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
        refused = await sending

    assert is_passing_trouble(refused)
    assert await ada.unread() == 0
    assert (await ada.post("/v1/notifications", 202, KEY, title="One"))["title"] == "One"
    assert await ada.unread() == 1


async def test_a_locked_inbox_makes_only_its_own_user_wait_and_not_for_ever(
    ada: Person, bob: Person, db: Database
) -> None:
    loop = asyncio.get_running_loop()
    async with db.begin() as tx:
        await tx.execute(text("SELECT 1 FROM inboxes WHERE user_id = :id FOR UPDATE"), {"id": bob.id})
        began = loop.time()
        to_bob = asyncio.create_task(ada.client.post("/v1/notifications", json={"title": "One", "to": bob.id}))
        await waiting_for_lock(db)
        await ada.send()
        await ada.mark("read", ids=[1])
        assert (await bob.inbox())["items"] == []
        assert not to_bob.done()
        refused = await to_bob
        waited = loop.time() - began

    assert is_passing_trouble(refused)
    assert LOCK_SECONDS - 1 < waited < LOCK_SECONDS + 3
    await ada.send(to=bob.id)
    assert await bob.unread() == 1


@pytest.mark.parametrize(("code", "status"), [("40001", 503), ("23505", 409)])
async def test_what_fails_at_commit_was_never_accepted(
    belfry: Serving, ada: Person, bob: Person, db: Database, code: str, status: int
) -> None:
    """A serialization failure, and a deferred constraint."""
    requests: list[tuple[str, dict[str, Any]]] = [
        ("/v1/notifications", {"title": "One"}),
        ("/v1/notifications/batch", {"title": "One", "to": [ada.id, bob.id]}),
        ("/v1/broadcasts", {"title": "One", "channels": ["inbox", "email"]}),
    ]
    before = await row_counts(db)
    async with db.begin() as tx:
        await tx.exec_driver_sql(FAILING_COMMIT.format(code=code))
    try:
        answers = [await ada.client.post(path, json=body, headers=KEY) for path, body in requests]
    finally:
        async with db.begin() as tx:
            await tx.exec_driver_sql("DROP FUNCTION fail() CASCADE")

    assert [answer.status_code for answer in answers] == [status] * 3
    assert {answer.headers["content-type"] for answer in answers} == {"application/problem+json"}
    assert not any("staged" in answer.text for answer in answers)
    assert await row_counts(db) == before
    for path, body in requests:
        await ada.post(path, 202, KEY, **body)


async def test_a_full_database_refuses_at_once_and_open_streams_stay(
    belfry: Serving, ada: Person, bob: Person, database_url: str, db: Database
) -> None:
    others: list[psycopg.AsyncConnection[Any]] = []
    conninfo = database_url.replace("+psycopg", "")
    async with bob.stream() as events, db.statement() as tx:
        await tx.execute(
            text("""
                SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid()
            """)
        )
        try:
            with suppress(psycopg.OperationalError):
                while True:
                    others.append(await psycopg.AsyncConnection.connect(conninfo))
            async with asyncio.timeout(1):
                assert is_passing_trouble(await ada.client.post("/v1/notifications", json={"title": "One"}))
        finally:
            for other in others:
                await other.close()
        assert not events.ended.is_set()

        async def accepted() -> bool:
            return (await ada.client.post("/v1/notifications", json={"title": "Two", "to": bob.id})).status_code == 202

        await eventually_yes(accepted)
        assert (await events.next("notification")).data["title"] == "Two"


async def test_sends_to_the_same_people_in_any_order_wait_for_each_other_and_never_for_ever(
    ada: Person, bob: Person, eve: Person
) -> None:
    orders = [list(each) for each in itertools.permutations((ada.id, bob.id, eve.id))] * 4
    await asyncio.gather(*(ada.post("/v1/notifications/batch", 202, to=order, title="One") for order in orders))
    assert await bob.unread() == len(orders)
