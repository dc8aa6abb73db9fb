"""Workers that are killed, stopped or told to end, at each point of their work: nothing is lost, little is copied."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Literal

import msgspec
import pytest
from sqlalchemy import text

from belfry.settings import Settings
from belfry.up import postgres
from db import Database, connect
from db.migrate import upgrade
from tests.processes import worker as process
from tests.realtime.test_presence import becomes
from tests.rows import attempts_of, cut_off_who_waits_for_a_lock, delivery, email_to, user, users, waits_for_a_lock
from tests.smtp_sink import Fault, Sink
from tests.tasks.test_worker import working
from tests.up.witness import children, passable_directory


async def test_a_worker_killed_before_its_claim_is_replaced(
    settings: Settings, db: Database, sink: Sink, tmp_path: Path
) -> None:
    made = await email_to(db, await user(db))
    async with process(settings, tmp_path) as first, db.begin() as tx:
        await tx.execute(text("LOCK TABLE deliveries"))
        await waits_for_a_lock(db, within=20)
        first.kill()
        await first.wait()

    async with working(settings):
        await sink.received(1)

    assert len(sink.mails) == 1
    assert [attempt.outcome for attempt in await attempts_of(db, made)] == ["sent"]


@pytest.mark.parametrize(
    ("place", "copies"), [pytest.param("RCPT", 1, marks=pytest.mark.slow), ("DATA", 1), ("DOT", 2)]
)
async def test_a_worker_killed_while_sending_is_replaced(
    settings: Settings, db: Database, sink: Sink, tmp_path: Path, place: str, copies: int
) -> None:
    """Only one killed after the content was handed over leads to a copy, and that can be recognised."""
    settings = msgspec.structs.replace(settings, lease_seconds=2, send_seconds=1.5)
    made = await email_to(db, await user(db))
    sink.once(place, Fault.WAIT)
    async with process(settings, tmp_path) as first:
        await sink.reached(place)
        first.kill()
    sink.release()

    async with working(settings):
        await sink.received(copies)

    assert len(sink.mails) == copies
    assert len({mail.message_id for mail in sink.mails}) == 1
    row = await delivery(db, made)
    assert (row.status, row.attempts) == ("sent", 2)
    assert [attempt.outcome for attempt in await attempts_of(db, made)] == ["lost", "sent"]


@pytest.mark.parametrize(
    ("uncertain", "copies", "end", "tries"),
    [
        pytest.param("resend", 2, "sent", ["lost", "sent"], marks=pytest.mark.slow),
        ("hold", 1, "uncertain", ["lost"]),
    ],
)
async def test_a_worker_killed_before_it_recorded_that_a_mail_was_taken(
    settings: Settings,
    db: Database,
    sink: Sink,
    tmp_path: Path,
    uncertain: Literal["resend", "hold"],
    copies: int,
    end: str,
    tries: list[str],
) -> None:
    settings = msgspec.structs.replace(settings, lease_seconds=2, send_seconds=1.5, uncertain=uncertain)
    made = await email_to(db, await user(db))
    sink.once("DOT", Fault.WAIT)
    async with process(settings, tmp_path) as first:
        await sink.reached("DOT")
        async with db.begin() as tx:
            await tx.execute(text("SELECT FROM notifications FOR NO KEY UPDATE"))
            sink.release()
            await waits_for_a_lock(db)
            first.kill()
            await cut_off_who_waits_for_a_lock(db)  # PostgreSQL would still do it: nobody told it

    async with working(settings):
        await becomes(lambda: status(db, made), end, within=10)

    assert len(sink.mails) == copies
    assert len({mail.message_id for mail in sink.mails}) == 1
    assert [attempt.outcome for attempt in await attempts_of(db, made)] == tries


async def test_a_worker_stopped_for_longer_than_its_lease_does_not_send(
    settings: Settings, db: Database, sink: Sink, tmp_path: Path
) -> None:
    settings = msgspec.structs.replace(settings, lease_seconds=2, send_seconds=1.5)
    made = await email_to(db, await user(db))
    sink.once("RCPT", Fault.WAIT)
    async with process(settings, tmp_path) as first:
        await sink.reached("RCPT")
        first.send_signal(signal.SIGSTOP)
        sink.release()
        async with working(settings):
            await sink.received(1)
        first.send_signal(signal.SIGCONT)
        first.terminate()
        assert await first.wait() == 0

    assert len(sink.mails) == 1
    assert [attempt.outcome for attempt in await attempts_of(db, made)][:2] == ["lost", "sent"]
    row = await delivery(db, made)
    assert (row.status, row.attempts) == ("sent", 2)


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
async def test_a_worker_told_to_stop_finishes_the_mail_in_flight_and_begins_no_other(
    settings: Settings, db: Database, sink: Sink, tmp_path: Path, signum: signal.Signals
) -> None:
    made, waiting = [await email_to(db, recipient) for recipient in await users(db, 2)]
    sink.once("DOT", Fault.WAIT)
    async with process(msgspec.structs.replace(settings, smtp_connections=1), tmp_path) as worker:
        await sink.reached("DOT")
        worker.send_signal(signum)
        await becomes(lambda: status(db, waiting), "pending")
        sink.release()
        assert await worker.wait() == 0

    rows = [await delivery(db, each) for each in (made, waiting)]
    assert [(row.status, row.attempts) for row in rows] == [("sent", 1), ("pending", 0)]


async def status(db: Database, delivery_id: int) -> str:
    return str((await delivery(db, delivery_id)).status)


async def test_a_worker_told_to_stop_while_redis_is_away_ends_in_time(
    settings: Settings, db: Database, sink: Sink, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the mail server nor PostgreSQL, which is to record another mail, lets it finish."""
    monkeypatch.setattr("tasks.worker.FINISH_SECONDS", 0.2)
    monkeypatch.setattr("tasks.ledger.CLOSING_SECONDS", 0.2)
    taken, kept = [await email_to(db, recipient) for recipient in await users(db, 2)]
    away = msgspec.structs.replace(settings, redis_url=f"unix://{tmp_path}/none.sock", smtp_connections=1)
    sink.once("DOT", Fault.WAIT, Fault.WAIT)
    async with db.begin() as tx, asyncio.timeout(4), working(away):
        await sink.reached("DOT")
        await tx.execute(text("SELECT FROM notifications FOR NO KEY UPDATE"))
        sink.thaw()
        await sink.reached("DOT", 2)

    assert [await status(db, each) for each in (taken, kept)] == ["processing", "processing"]


@pytest.mark.slow
async def test_a_worker_told_to_stop_while_postgresql_is_frozen_is_gone_in_time(
    settings: Settings, sink: Sink, tmp_path: Path
) -> None:
    with passable_directory() as directory:
        async with postgres.running(directory / "data", say=lambda _: None, durable=False) as server:
            db = connect(server.url)
            await asyncio.to_thread(upgrade, connect(server.url), say=lambda _: None)
            await email_to(db, await user(db))
            sink.once("RCPT", Fault.WAIT)
            async with process(msgspec.structs.replace(settings, database_url=server.url), tmp_path) as worker:
                await sink.reached("RCPT")
                processes = [server.pid, *children(server.pid)]
                for pid in processes:
                    os.kill(pid, signal.SIGSTOP)
                try:
                    worker.terminate()
                    sink.release()
                    async with asyncio.timeout(30):
                        assert await worker.wait() == 0
                finally:
                    for pid in processes:
                        os.kill(pid, signal.SIGCONT)
            await db.close()
