"""How far a broadcast got: counted where it changes, and told to its sender while it does."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from db import Database
from db.queries import broadcasts, deliveries, expansions
from db.queries.deliveries import Letter, Outcome, Result
from tasks.context import Context
from tasks.expand import expand
from tasks.progress import Progress
from tasks.send_due import send_due
from tests.people import Person
from tests.rows import broadcast, users, waits_for_a_lock
from tests.smtp_sink import Sink

COUNTED = text("SELECT notification_id, expanded, sent, failed, ended FROM expansions ORDER BY 1")
COUNT = text("""
    SELECT e.notification_id, count(d.id), count(d.id) FILTER (WHERE d.status = 'sent'),
           count(d.id) FILTER (WHERE d.status = 'failed'),
           count(d.id) FILTER (WHERE d.status NOT IN ('scheduled', 'pending', 'processing'))
    FROM expansions e LEFT JOIN deliveries d USING (notification_id) GROUP BY 1 ORDER BY 1
""")
CANCEL = text("""
    UPDATE deliveries SET status = 'cancelled'
    WHERE id IN (SELECT id FROM deliveries WHERE status = 'pending' ORDER BY id LIMIT 7)
""")
RETRY = text("""
    UPDATE deliveries SET status = 'pending', due_at = now()
    WHERE id IN (SELECT id FROM deliveries WHERE status = 'failed' ORDER BY id LIMIT 7)
""")
LATER = text("UPDATE deliveries SET due_at = now() WHERE status = 'pending'")
KILL = text("UPDATE deliveries SET leased_until = now() WHERE status = 'processing'")
FORGET = text("DELETE FROM users WHERE id IN (SELECT user_id FROM deliveries ORDER BY id LIMIT 2)")


def outcome(letter: Letter, result: Result) -> Outcome:
    now = datetime.now(UTC)
    return Outcome(
        id=letter.id, lease_token=letter.lease_token, result=result, worker="w", started_at=now, ended_at=now
    )


class History:
    """What can happen to the e-mails of broadcasts, in any order."""

    def __init__(self, db: Database, ids: list[int], seed: int) -> None:
        self._db = db
        self._ids = ids
        self._random = random.Random(seed)
        self._held: list[Letter] = []

    async def go_on(self) -> None:
        ways: list[Callable[[], Awaitable[object]]] = [
            self._expand, self._claim, self._claim, self._settle, self._settle, self._settle, self._die,
            *(lambda statement=statement: self._run(statement) for statement in (CANCEL, RETRY, LATER, FORGET)),
        ]  # fmt: skip
        await self._random.choice(ways)()

    async def counted_and_count(self) -> tuple[list[tuple[int, ...]], list[tuple[int, ...]]]:
        async with self._db.snapshot() as tx:
            counted, count = await tx.execute(COUNTED), await tx.execute(COUNT)
            return [tuple(row) for row in counted], [tuple(row) for row in count]

    async def _run(self, statement: object) -> None:
        async with self._db.begin() as tx:
            await tx.execute(statement)  # type: ignore[call-overload]

    async def _expand(self) -> None:
        async with self._db.begin() as tx:
            await expansions.expand(tx, self._random.choice(self._ids), size=15)

    async def _claim(self) -> None:
        async with self._db.begin() as tx:
            self._held += await deliveries.claim(tx, limit=20, lease_seconds=60, worker="w")

    async def _settle(self) -> None:
        self._random.shuffle(self._held)
        settled, self._held = self._held[:12], self._held[12:]
        async with self._db.begin() as tx:
            await deliveries.settle(tx, [outcome(letter, self._random.choice(list(Result))) for letter in settled])

    async def _die(self) -> None:
        """Their leases run out, and another takes them back; what was held can still be settled, late."""
        await self._run(KILL)
        async with self._db.begin() as tx:
            await deliveries.return_expired(tx, self._random.choice(["resend", "hold"]), attempts=3, lease_seconds=60)


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_happens_the_counters_say_what_counting_would(db: Database, seed: int) -> None:
    await users(db, 60)
    history = History(db, [await broadcast(db, f"Broadcast {n}") for n in range(3)], seed)
    seen: set[tuple[int, ...]] = set()
    for _ in range(60):
        await history.go_on()
        counted, count = await history.counted_and_count()
        assert counted == count
        seen.update(row[2:] for row in counted)

    assert len(seen) > 5


async def test_workers_that_settle_the_same_broadcasts_at_once_wait_for_each_other(db: Database) -> None:
    await users(db, 120)
    ids = [await broadcast(db, f"Broadcast {n}") for n in range(4)]
    for notification in ids:
        async with db.begin() as tx:
            await expansions.expand(tx, notification)
    async with db.begin() as tx:
        letters = await deliveries.claim(tx, limit=480, lease_seconds=60, worker="w")
    random.Random(1).shuffle(letters)

    async def settle(some: list[Letter]) -> None:
        async with db.begin() as tx:
            await deliveries.settle(tx, [outcome(letter, Result.SENT) for letter in some])

    await asyncio.gather(*(settle(letters[at : at + 12]) for at in range(0, 480, 12)))

    async with db.statement() as tx:
        assert [tuple(row) for row in await tx.execute(COUNTED)] == [(each, 120, 120, 0, 120) for each in ids]


async def test_a_chunk_is_created_while_earlier_ones_are_settled(db: Database) -> None:
    await users(db, 20)
    notification = await broadcast(db)
    async with db.begin() as tx:
        await expansions.expand(tx, notification, size=10)
    async with db.begin() as tx:
        letters = await deliveries.claim(tx, limit=10, lease_seconds=60, worker="w")

    async with db.begin() as settling:
        await deliveries.settle(settling, [outcome(letter, Result.SENT) for letter in letters])
        async with db.begin() as tx:  # waits for no row of the other's until the end, and gives nothing up
            other = asyncio.create_task(expansions.expand(tx, notification, size=10))
            await waits_for_a_lock(db)
            await settling.commit()
            progress = await other

    assert progress is not None
    assert progress.created == 10


async def test_the_sender_and_nobody_else_is_told_how_it_gets_on(
    context: Context, db: Database, ada: Person, bob: Person, sink: Sink
) -> None:
    everyone = await users(db, 30)
    async with ada.stream() as adas, bob.stream() as bobs:
        sent = await ada.broadcast(channels=["inbox", "email"])
        await expand(context, sent["id"])
        await send_due(context)
        told = await adas.next("progress")
        while told.data["remaining"]:
            told = await adas.next("progress")
        await ada.broadcast("the last")
        await bobs.next("notification")
        await bobs.next("notification")

    people = len(everyone) + 2
    assert told.data == {
        "notification_id": sent["id"], "total": people, "expanded": people, "sent": people, "failed": 0,
        "remaining": 0, "rate": told.data["rate"],
    }  # fmt: skip
    assert told.data["rate"] > 1
    assert not told.carries_id
    assert "progress" not in {event.name for event in bobs.seen}
    progress = await ada.get(f"/v1/broadcasts/{sent['id']}")
    listed = (await ada.get("/v1/broadcasts"))["items"][1]
    for answer in (progress, listed):
        assert {name: answer[name] for name in told.data if name in answer and name != "rate"} == {
            name: value for name, value in told.data.items() if name not in ("rate", "notification_id")
        }
        assert 1 < answer["rate"] <= people * 1.02  # what went out at once shows as 1/30 over 1 - exp(-1/30)


async def test_all_workers_together_tell_of_a_broadcast_once_a_second(context: Context, db: Database) -> None:
    await users(db, 3)
    one, other = await broadcast(db), await broadcast(db)

    async def turn(*ids: int) -> tuple[list[int], set[int]]:
        async with db.statement() as tx:
            told, later = await broadcasts.take_turn(tx, ids)
        return [progress.notification_id for _, progress in told], later

    assert await turn(one) == ([one], set())
    assert await turn(one, other, 404) == ([other], {one})
    async with db.begin() as tx:
        await tx.execute(text("UPDATE expansions SET told_at = told_at - interval '1 second'"))
    first, second = await asyncio.gather(turn(one, other), turn(other, one))
    assert sorted(first[0] + second[0]) == [one, other]
    assert first[1] | second[1] <= {one, other}


async def test_what_moved_while_postgresql_is_away_is_told_of_later(
    context: Context, db: Database, ada: Person
) -> None:
    sent = await ada.broadcast(channels=["inbox", "email"])
    async with ada.stream() as events, db.begin() as tx:
        await tx.execute(text("LOCK TABLE expansions"))
        context.progress.moved([sent["id"]])
        await waits_for_a_lock(db)
        await tx.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid()")
        )
        await tx.commit()
        told = await events.next("progress")

    assert told.data["notification_id"] == sent["id"]


async def test_progress_comes_as_a_line_for_people(context: Context, ada: Person) -> None:
    sent = await ada.broadcast(channels=["email"])
    query = {"format": "text", "types": "progress"}
    async with ada.client.stream("GET", "/v1/stream", params=query, timeout=5) as answer:
        lines = answer.aiter_lines()
        await anext(lines)  # connected
        async with Progress(context.db, context.announcer) as progress:
            progress.moved([sent["id"]])
            line = await anext(lines)

    assert line == f"broadcast {sent['id']}: 0 sent, 0 failed, 0 to go"
