"""What is due is sent once, what was missed is found, and what cannot be sent says why."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from sqlalchemy import text

from belfry.sending.bell import RUN_SCHEDULES, connect_queue
from belfry.settings import Settings
from db import Database
from tasks.context import Context
from tasks.retention import retire
from tasks.schedules import run_schedules
from tests.people import Person
from tests.rows import deliveries
from tests.tasks.test_worker import working

EACH_MINUTE = "* * * * *"
MOVE = text("""
    UPDATE schedules SET considered_at = now() - make_interval(secs => :seconds),
        next_due_at = now() - make_interval(secs => :seconds)
    WHERE id = :id
""")


async def schedule(person: Person, cron: str = EACH_MINUTE, **more: Any) -> Any:
    return await person.post("/v1/schedules", 201, **{"name": "Nightly", "title": "Run {count}", "cron": cron} | more)


async def elapse(db: Database, schedule_id: int, seconds: float) -> None:
    """Make a schedule one that nobody has looked at for a while."""
    async with db.begin() as tx:
        await tx.execute(MOVE, {"id": schedule_id, "seconds": seconds})


async def ago(db: Database, minutes: int) -> str:
    """The expression of a time of the day that was `minutes` and up to a minute ago."""
    async with db.statement() as tx:
        now: datetime = await tx.scalar(text("SELECT now()"))
    then = now - timedelta(minutes=minutes)
    return f"{then.minute} {then.hour} * * *"


async def ledger(person: Person, schedule_id: int, **query: Any) -> list[dict[str, Any]]:
    page: dict[str, Any] = await person.get(f"/v1/schedules/{schedule_id}/runs", page_size=100, **query)
    items: list[dict[str, Any]] = page["items"]
    return items


async def titles(person: Person) -> list[str]:
    return [item["title"] for item in (await person.inbox(page_size=100))["items"]]


async def test_what_is_due_goes_to_everyone_and_into_the_ledger(
    ada: Person, bob: Person, db: Database, context: Context
) -> None:
    made = await schedule(ada, title="{schedule}: {{{count}}}", content="On {date}", tags=["ops"], priority=4)
    await elapse(db, made["id"], 60)
    async with bob.stream() as events:
        await run_schedules(context)
        arrived = (await events.next("notification")).data
    [run] = await ledger(ada, made["id"])
    after = await ada.get(f"/v1/schedules/{made['id']}")

    assert (arrived["title"], arrived["content"]) == ("Nightly: {1}", f"On {run['due_at'][:10]}")
    assert (arrived["type"], arrived["sender"]["id"]) == ("broadcast", ada.id)
    assert (arrived["tags"], arrived["priority"]) == (["ops"], 4)
    assert (run["outcome"], run["reason"], run["manual"]) == ("sent", None, False)
    assert run["notification_ids"] == [arrived["id"]]
    assert run["due_at"].endswith(":00Z")
    assert run["started_at"] > run["due_at"]
    assert after["sent"] == 1
    assert after["next_runs"][0] > run["due_at"]


async def test_a_tick_that_comes_twice_on_two_hosts_and_late_sends_once(
    ada: Person, bob: Person, db: Database, context: Context
) -> None:
    made = await schedule(ada)
    await elapse(db, made["id"], 60)

    await asyncio.gather(*(run_schedules(context) for _ in range(5)))
    async with db.begin() as tx:  # somebody who has not heard of it
        await tx.execute(
            text("UPDATE schedules SET considered_at = considered_at - interval '60 s', next_due_at = now()")
        )
    await run_schedules(context)

    assert await titles(bob) == ["Run 1"]
    assert len(await ledger(ada, made["id"])) == 1


async def test_of_what_was_missed_the_newest_is_sent_and_the_others_are_written_down(
    ada: Person, bob: Person, db: Database, context: Context
) -> None:
    made = await schedule(ada, "17 * * * *")
    await elapse(db, made["id"], 10 * 3_600)

    await run_schedules(context)
    newest, *older = await ledger(ada, made["id"])

    assert newest["outcome"] == "sent"
    assert len(older) == 9
    assert {(run["outcome"], run["reason"]) for run in older} == {
        ("skipped", "missed; only the newest missed run is sent")
    }
    assert len({run["due_at"] for run in (newest, *older)}) == 10
    assert await titles(bob) == ["Run 1"]


async def test_after_a_long_outage_the_ledger_says_where_it_begins(ada: Person, db: Database, context: Context) -> None:
    made = await schedule(ada)
    await elapse(db, made["id"], 30 * 24 * 3_600)

    await run_schedules(context)
    first = await ledger(ada, made["id"])
    cursor = first[-1]["id"]
    [oldest] = await ledger(ada, made["id"], cursor=cursor)

    assert len(first) == 100
    assert [run["outcome"] for run in (first[0], oldest)] == ["sent", "skipped"]
    assert oldest["reason"].endswith("Earlier ones than the last 100 are not listed")


@pytest.mark.parametrize(
    ("policy", "grace", "outcome", "sent"),
    [("send", 60, "sent", 1), ("skip", 60, "skipped", 0), ("skip", 3600, "sent", 1)],
)
async def test_a_late_run_is_treated_as_its_policy_says(
    ada: Person, bob: Person, db: Database, context: Context, policy: str, grace: int, outcome: str, sent: int
) -> None:
    made = await schedule(ada, await ago(db, 10), late_policy=policy, grace_seconds=grace)
    await elapse(db, made["id"], 20 * 60)

    await run_schedules(context)
    [run] = await ledger(ada, made["id"])

    assert run["outcome"] == outcome
    assert run["reason"] is None or run["reason"].endswith("s late; its grace is 60 s")
    assert await bob.unread() == sent


async def test_a_paused_schedule_does_not_run_and_a_resumed_one_catches_nothing_up(
    ada: Person, bob: Person, db: Database, context: Context
) -> None:
    made = await schedule(ada, enabled=False)
    await elapse(db, made["id"], 3_600)
    await run_schedules(context)
    resumed = (await ada.client.patch(f"/v1/schedules/{made['id']}", json={"enabled": True})).json()
    await run_schedules(context)

    assert made["next_runs"] == []
    assert len(resumed["next_runs"]) == 5
    assert await ledger(ada, made["id"]) == []
    await elapse(db, made["id"], 60)
    await run_schedules(context)
    assert await titles(bob) == ["Run 1"]


async def test_a_change_of_the_words_does_not_lose_what_is_due(ada: Person, db: Database, context: Context) -> None:
    made = await schedule(ada)
    await elapse(db, made["id"], 60)
    await ada.client.patch(f"/v1/schedules/{made['id']}", json={"title": "Better"})

    await run_schedules(context)

    assert await titles(ada) == ["Better"]


OWNERS = {
    "DELETE FROM users WHERE id = :id": "its owner was deleted",
    "UPDATE users SET disabled_at = now() WHERE id = :id": "this account is disabled",
    "UPDATE users SET role = 'member' WHERE id = :id": "needs the role sender or admin; this one's is member",
}


@pytest.mark.parametrize(("fate", "reason"), OWNERS.items())
async def test_without_an_owner_who_may_send_a_run_fails_and_says_so(
    ada: Person, bob: Person, eve: Person, db: Database, context: Context, fate: str, reason: str
) -> None:
    made = await schedule(ada)
    await elapse(db, made["id"], 60)
    async with db.begin() as tx:
        await tx.execute(text(fate), {"id": ada.id})

    await run_schedules(context)
    [run] = await ledger(eve, made["id"])
    by_hand = await eve.post(f"/v1/schedules/{made['id']}/run", 202)
    recorded = (await eve.get("/v1/audit", action="schedule.run"))["items"]

    assert [(each["outcome"], each["notification_ids"]) for each in (run, by_hand)] == [("failed", [])] * 2
    assert run["reason"].endswith(reason)
    assert [each["detail"]["reason"] for each in recorded] == [by_hand["reason"], run["reason"]]
    assert await bob.unread() == 0


async def test_an_audience_of_some_gets_it_personally_and_by_mail(
    ada: Person, bob: Person, eve: Person, db: Database, context: Context
) -> None:
    made = await schedule(ada, audience=["BOB@example.com", eve.id, bob.id], channels=["inbox", "email"])
    await elapse(db, made["id"], 60)
    await run_schedules(context)
    [run] = await ledger(ada, made["id"])

    assert made["audience"] == [bob.id, eve.id]
    assert [await person.unread() for person in (ada, bob, eve)] == [0, 1, 1]
    assert [(row.user_id, row.notification_id) for row in await deliveries(db)] == [
        *zip((bob.id, eve.id), run["notification_ids"], strict=True)
    ]


async def test_who_has_gone_from_an_audience_is_left_out_and_an_audience_that_is_gone_fails(
    ada: Person, bob: Person, eve: Person, db: Database, context: Context
) -> None:
    made = await schedule(ada, audience=[bob.id, eve.id])
    for person in (bob, eve):
        async with db.begin() as tx:
            await tx.execute(text("UPDATE users SET disabled_at = now() WHERE id = :id"), {"id": person.id})
        await elapse(db, made["id"], 60)
        await run_schedules(context)
        async with db.begin() as tx:
            await tx.execute(text("UPDATE schedule_runs SET due_at = due_at - interval '1 day'"))
    second, first = await ledger(ada, made["id"])

    assert (first["outcome"], first["reason"]) == ("sent", "1 of 2 recipients are gone or disabled")
    assert len(first["notification_ids"]) == 1
    assert (second["outcome"], second["reason"]) == ("failed", "nobody of its audience is there any more")


async def test_one_that_cannot_be_run_keeps_no_other_from_running(
    ada: Person, bob: Person, db: Database, context: Context
) -> None:
    broken, lost, good = [await schedule(ada, name=name) for name in ("Broken", "Lost", "Good")]
    async with db.begin() as tx:
        await tx.execute(text("UPDATE schedules SET title = '{no}' WHERE id = :id"), {"id": broken["id"]})
        await tx.execute(text("UPDATE schedules SET time_zone = 'Gone/Away' WHERE id = :id"), {"id": lost["id"]})
    for each in (broken, lost, good):
        await elapse(db, each["id"], 60)

    await run_schedules(context)
    [run] = await ledger(ada, broken["id"])

    assert (run["outcome"], run["reason"]) == ("failed", "an error of ours; see the worker's log")
    assert await titles(bob) == ["Run 1"]


async def test_a_worker_runs_what_was_missed_before_it_started_and_what_a_tick_finds(
    ada: Person, bob: Person, db: Database, settings: Settings
) -> None:
    made = await schedule(ada, "@daily")
    await elapse(db, made["id"], 24 * 3_600)
    settings = msgspec.structs.replace(settings, sweep_seconds=60)
    async with bob.stream() as events, connect_queue(settings.redis_url) as queue, working(settings):
        found = await events.next("notification")
        async with db.begin() as tx:
            await tx.execute(text("UPDATE schedule_runs SET due_at = due_at - interval '1 day'"))
        await elapse(db, made["id"], 24 * 3_600)
        await queue.enqueue_job(RUN_SCHEDULES)
        ticked = await events.next("notification")

    assert [event.data["title"] for event in (found, ticked)] == ["Run 1", "Run 2"]


async def test_runs_and_records_are_kept_for_the_time_of_the_audit(
    ada: Person, eve: Person, db: Database, context: Context
) -> None:
    made = await schedule(ada)
    for _ in range(2):
        await ada.post(f"/v1/schedules/{made['id']}/run", 202)
    async with db.begin() as tx:
        await tx.execute(text("UPDATE schedule_runs SET started_at = now() - interval '366 days' WHERE id = 1"))
        await tx.execute(text("UPDATE audit SET at = now() - interval '366 days' WHERE action <> 'schedule.created'"))

    await retire(context)

    assert [run["id"] for run in await ledger(ada, made["id"])] == [2]
    assert [entry["action"] for entry in (await eve.get("/v1/audit"))["items"]] == ["schedule.created"]
