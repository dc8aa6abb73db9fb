"""The leases, staged one transaction at a time."""

import asyncio
from datetime import UTC, datetime
from typing import Literal

import pytest
from sqlalchemy import text

from db import Database
from db.queries import deliveries
from db.queries.deliveries import Letter, Outcome, Result
from tests.rows import attempts_of, delivery, email_to, notification_status, user, users


async def claim(db: Database, *, limit: int = 100, lease_seconds: float = 60) -> list[Letter]:
    async with db.begin() as tx:
        return await deliveries.claim(tx, limit=limit, lease_seconds=lease_seconds, worker="w")


async def hand_over(db: Database, letter: Letter) -> bool:
    async with db.begin() as tx:
        return letter.id in await deliveries.hand_over(tx, [(letter.id, letter.lease_token)], seconds=30)


async def settle(db: Database, letter: Letter, result: Result) -> bool:
    now = datetime.now(UTC)
    outcome = Outcome(
        id=letter.id, lease_token=letter.lease_token, result=result, worker="w", started_at=now, ended_at=now, delay=60
    )
    async with db.begin() as tx:
        return letter.id in await deliveries.settle(tx, [outcome])


async def let_leases_run_out(db: Database) -> None:
    async with db.begin() as tx:
        await tx.execute(text("UPDATE deliveries SET leased_until = now() WHERE status = 'processing'"))


async def return_expired(db: Database, uncertain: Literal["resend", "hold"] = "resend", *, attempts: int = 8) -> int:
    async with db.begin() as tx:
        return await deliveries.return_expired(tx, uncertain, attempts=attempts, lease_seconds=60)


async def test_workers_that_claim_at_once_share_no_delivery(db: Database) -> None:
    for recipient in await users(db, 30):
        await email_to(db, recipient)
    async with db.begin() as one, db.begin() as other:
        first, second = await asyncio.gather(
            *(deliveries.claim(tx, limit=20, lease_seconds=60, worker="w") for tx in (one, other))
        )

    assert len({letter.id for letter in first + second}) == len(first) + len(second) == 30


async def test_a_security_mail_overtakes_a_personal_one_and_that_a_broadcast(db: Database) -> None:
    ada = await user(db)
    broadcast, personal, security = [await email_to(db, ada, lane=lane) for lane in (2, 1, 0)]

    assert [letter.id for letter in await claim(db)] == [security, personal, broadcast]


async def test_a_claim_brings_all_that_a_letter_needs(db: Database) -> None:
    sender = await user(db, "charles@example.com", "Charles")
    made = await email_to(db, await user(db), sender_id=sender)

    [letter] = await claim(db)

    assert (letter.id, letter.attempt, letter.broadcast, letter.unwanted) == (made, 1, False, None)
    assert (letter.email, letter.display_name, letter.sender) == ("ada@example.com", "Ada", "Charles")
    assert (letter.title, letter.content) == ("Build passed", "All green.")
    assert await notification_status(db, made) == "processing"


@pytest.mark.parametrize(
    ("change", "unwanted"),
    [
        ("UPDATE notifications SET expires_at = now()", "expired"),
        ("UPDATE users SET disabled_at = now()", "disabled"),
    ],
)
async def test_what_nobody_wants_any_more_says_so(db: Database, change: str, unwanted: str) -> None:
    await email_to(db, await user(db))
    async with db.begin() as tx:
        await tx.execute(text(change))

    [letter] = await claim(db)

    assert letter.unwanted == unwanted


async def test_a_lease_that_ran_out_gives_no_right_to_send(db: Database) -> None:
    await email_to(db, await user(db))
    [letter] = await claim(db)
    await let_leases_run_out(db)
    assert not await hand_over(db, letter)

    await return_expired(db)
    [again] = await claim(db)

    assert not await hand_over(db, letter)
    assert await hand_over(db, again)
    assert again.attempt == 2


@pytest.mark.parametrize("lane", [1, 2])
async def test_who_was_disabled_or_deleted_since_the_claim_gets_no_mail(db: Database, lane: int) -> None:
    await email_to(db, await user(db), lane=lane)
    await email_to(db, await user(db, "bob@example.com"), lane=lane)
    to_ada, to_bob = await claim(db)
    async with db.begin() as tx:
        await tx.execute(text("UPDATE users SET disabled_at = now() WHERE email = 'ada@example.com'"))

    assert not await hand_over(db, to_ada)
    assert await hand_over(db, to_bob)


async def test_handing_over_prolongs_a_lease_about_to_end(db: Database) -> None:
    made = await email_to(db, await user(db))
    [letter] = await claim(db, lease_seconds=5)
    before = (await delivery(db, made)).leased_until

    await hand_over(db, letter)

    after = (await delivery(db, made)).leased_until
    assert (after - before).total_seconds() > 20


@pytest.mark.parametrize(
    ("handed_over", "uncertain", "status"),
    [
        (False, "resend", "pending"),
        (False, "hold", "pending"),
        (True, "resend", "pending"),
        (True, "hold", "uncertain"),
    ],
)
async def test_what_a_lost_worker_held_comes_back(
    db: Database, handed_over: bool, uncertain: Literal["resend", "hold"], status: str
) -> None:
    made = await email_to(db, await user(db))
    [letter] = await claim(db)
    if handed_over:
        await hand_over(db, letter)
    await let_leases_run_out(db)

    assert await return_expired(db, uncertain) == 1

    assert (await delivery(db, made)).status == status
    assert await notification_status(db, made) == status
    assert [(attempt.outcome, attempt.worker) for attempt in await attempts_of(db, made)] == [("lost", "w")]


@pytest.mark.parametrize(("handed_over", "status"), [(False, "failed"), (True, "uncertain")])
async def test_a_letter_that_workers_die_of_is_given_up(db: Database, handed_over: bool, status: str) -> None:
    made = await email_to(db, await user(db))
    for _ in range(2):
        [letter] = await claim(db)
        if handed_over:
            await hand_over(db, letter)
        await let_leases_run_out(db)
        await return_expired(db, attempts=2)

    assert (await delivery(db, made)).status == status


async def test_a_lease_that_stands_is_left_alone(db: Database) -> None:
    await email_to(db, await user(db))
    await claim(db)

    assert await return_expired(db) == 0


async def test_who_saw_it_taken_may_say_so_after_the_lease(db: Database) -> None:
    made = await email_to(db, await user(db))
    [letter] = await claim(db)
    await hand_over(db, letter)
    await let_leases_run_out(db)
    await return_expired(db)
    [again] = await claim(db)

    assert await settle(db, letter, Result.SENT)

    assert (await delivery(db, made)).status == "sent"
    assert await notification_status(db, made) == "sent"
    assert not await hand_over(db, again)


@pytest.mark.parametrize("result", [Result.DELAYED, Result.REFUSED, Result.RELAY_DOWN, Result.UNTRIED])
async def test_anything_else_needs_the_lease(db: Database, result: Result) -> None:
    made = await email_to(db, await user(db))
    [letter] = await claim(db)
    await let_leases_run_out(db)
    await return_expired(db)
    await claim(db)

    assert not await settle(db, letter, result)

    row = await delivery(db, made)
    assert (row.status, row.attempts) == ("processing", 2)


@pytest.mark.parametrize(("result", "outcomes"), [(Result.RELAY_DOWN, ["relay down"]), (Result.UNTRIED, [])])
async def test_our_own_fault_burns_no_attempt(db: Database, result: Result, outcomes: list[str]) -> None:
    made = await email_to(db, await user(db))
    [letter] = await claim(db)

    await settle(db, letter, result)

    row = await delivery(db, made)
    assert (row.status, row.attempts, row.later, row.lease_token) == ("pending", 0, False, None)
    assert [attempt.outcome for attempt in await attempts_of(db, made)] == outcomes
    assert await notification_status(db, made) == "pending"
