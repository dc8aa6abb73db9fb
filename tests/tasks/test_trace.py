"""What the trace of a notification tells, over HTTP and in the terminal."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import text

from belfry.settings import Settings
from db import Database
from tasks.arrive import arrive
from tasks.context import Context
from tasks.expand import expand
from tasks.send_due import send_due
from tasks.sweep import sweep
from tests.people import Person
from tests.processes import belfry_command
from tests.serving import Serving
from tests.smtp_sink import Sink
from tests.tasks.test_arrive import later, make_due
from tests.tasks.test_deliveries import claim, let_leases_run_out


async def trace(person: Person, sent: Any, **query: Any) -> Any:
    return await person.get(f"/v1/notifications/{sent['id']}/trace", **query)


async def make_deliveries_due(db: Database) -> None:
    async with db.begin() as tx:
        await tx.execute(text("UPDATE deliveries SET due_at = now()"))


def in_order(*moments: str) -> bool:
    times = [datetime.fromisoformat(moment) for moment in moments]
    return times == sorted(times)


async def test_each_attempt_is_told_with_its_worker_and_the_server_s_words(
    context: Context, ada: Person, bob: Person, db: Database, sink: Sink
) -> None:
    sink.once("RCPT", "450 4.2.1 busy")
    sent = await ada.send(to=bob.id)
    waiting = await trace(ada, sent)
    await send_due(context)
    await make_deliveries_due(db)
    await send_due(context)
    await bob.mark("read", ids=[sent["id"]])
    told = await trace(ada, sent)

    assert [(each["status"], each["attempts"]) for each in waiting["deliveries"]] == [("pending", [])]
    assert (waiting["read_at"], waiting["deliveries"][0]["sent_at"]) == (None, None)
    assert (told["type"], told["status"], told["reason"], told["expansion"]) == ("personal", "sent", None, None)
    assert told["recipient"] == {"id": bob.id, "name": bob.email}
    [delivery] = told["deliveries"]
    assert (delivery["user_id"], delivery["channel"], delivery["status"]) == (bob.id, "email", "sent")
    first, second = delivery["attempts"]
    assert (first["worker"], first["outcome"], first["code"], first["text"]) == (
        context.worker,
        "delayed",
        450,
        "4.2.1 busy",
    )
    assert (second["worker"], second["outcome"], second["code"]) == (context.worker, "sent", 250)
    assert told["accepted_at"] == told["arrived_at"] == sent["created_at"]
    assert in_order(
        *(told["accepted_at"], delivery["queued_at"]),
        *(each[when] for each in (first, second) for when in ("started_at", "ended_at")),
        told["read_at"],
    )


async def test_who_holds_it_is_known_and_a_lost_attempt_names_its_worker(
    context: Context, ada: Person, db: Database
) -> None:
    sent = await ada.send()
    await claim(db)
    [held] = (await trace(ada, sent))["deliveries"]
    await let_leases_run_out(db)
    await sweep(context)
    [returned] = (await trace(ada, sent))["deliveries"]

    assert (held["status"], held["worker"], held["attempts"]) == ("processing", "w", [])
    assert (returned["status"], returned["worker"]) == ("pending", None)
    assert [(each["outcome"], each["worker"]) for each in returned["attempts"]] == [("lost", "w")]


async def test_a_scheduled_one_tells_when_it_was_due_and_when_it_arrived(
    context: Context, ada: Person, bob: Person, db: Database
) -> None:
    sent = await ada.send(to=bob.id, send_at=later(hours=1), expires_at=later(hours=2))
    before = await trace(ada, sent)
    await make_due(db)
    await arrive(context)
    after = await trace(ada, sent)

    assert (before["status"], before["arrived_at"], before["deliveries"][0]["queued_at"]) == ("scheduled", None, None)
    assert (before["send_at"], before["expires_at"]) == (sent["send_at"], sent["expires_at"])
    assert after["status"] == "pending"
    assert in_order(after["accepted_at"], after["send_at"], after["arrived_at"])
    assert after["deliveries"][0]["queued_at"] == after["arrived_at"]


async def test_why_it_was_not_sent_is_told(context: Context, ada: Person, sink: Sink) -> None:
    sink.once("RCPT", "550 5.1.1 no such user")
    failed, cancelled = await ada.send(), await ada.send()
    never = [await ada.send(send_at=later(hours=1), channels=["inbox"]), await ada.broadcast(send_at=later(hours=1))]
    for sent in (cancelled, *never):
        await ada.post(f"/v1/notifications/{sent['id']}/cancel")
    await send_due(context)

    assert [(each["status"], each["reason"]) for each in [await trace(ada, sent) for sent in (failed, cancelled)]] == [
        ("failed", "550 5.1.1 no such user"),
        ("cancelled", "cancelled by the sender"),
    ]
    assert {(await trace(ada, sent))["reason"] for sent in never} == {"cancelled before it arrived"}


async def test_of_a_broadcast_the_expansion_is_told_and_of_one_user_the_delivery(
    context: Context, ada: Person, bob: Person
) -> None:
    sent = await ada.broadcast(channels=["inbox", "email"])
    await expand(context, sent["id"])
    await send_due(context)
    await bob.mark("read", ids=[sent["id"]])
    whole, of_bob, of_nobody = [await trace(ada, sent, **query) for query in ({}, {"user": bob.id}, {"user": 999})]

    assert whole["expansion"]["created"] == 2
    assert in_order(whole["accepted_at"], whole["expansion"]["started_at"], whole["expansion"]["finished_at"])
    assert (whole["deliveries"], whole["read_at"], of_nobody) == ([], None, whole)
    [delivery] = of_bob["deliveries"]
    assert (delivery["user_id"], [each["outcome"] for each in delivery["attempts"]]) == (bob.id, ["sent"])
    assert of_bob["read_at"] is not None


async def test_only_its_sender_and_admins_may_follow_it(belfry: Serving, ada: Person, bob: Person, eve: Person) -> None:
    sent = await ada.send(to=bob.id)
    async with belfry.person("cyd@example.com", role="sender") as cyd:
        for stranger in (bob, cyd):
            assert (await stranger.client.get(f"/v1/notifications/{sent['id']}/trace")).status_code == 404
    assert await trace(eve, sent) == await trace(ada, sent)
    own = await bob.send()
    assert (await trace(bob, own))["id"] == own["id"]


async def test_the_terminal_shows_a_timeline(
    context: Context, settings: Settings, ada: Person, bob: Person, db: Database, sink: Sink
) -> None:
    sink.once("RCPT", "450 4.2.1 busy")
    sent = await ada.send("[bold]Later[/]", to=bob.id, send_at=later(hours=1))
    await make_due(db)
    await arrive(context)
    await send_due(context)
    await make_deliveries_due(db)
    await send_due(context)
    code, shown, errors = await belfry_command(settings, "trace", str(sent["id"]))
    _, as_json, _ = await belfry_command(settings, "trace", str(sent["id"]), "--json")

    assert (code, errors) == (0, "")
    title, *lines = shown.splitlines()
    assert title == f"[bold]Later[/]  personal {sent['id']}, sent"
    times, words = [line[:23] for line in lines], [line[23:].strip() for line in lines]
    assert times == sorted(times)
    expected: Iterator[str] = iter(
        (
            "accepted",
            "arrived, due at ",
            f"queued for user {bob.id}",
            f"attempt 1 by {context.worker}",
            "attempt 1: delayed, 450 4.2.1 busy",
            f"attempt 2 by {context.worker}",
            "attempt 2: sent, 250 taken",
            "sent",
        )
    )
    assert all(line.startswith(start) for line, start in zip(words, expected, strict=True))
    assert json.loads(as_json) == await trace(ada, sent)


@pytest.mark.slow
async def test_the_terminal_tells_what_became_of_the_others(
    context: Context, settings: Settings, ada: Person, bob: Person, db: Database, sink: Sink
) -> None:
    sink.once("RCPT", "550 5.1.1 no such \x1b[2Juser")
    failed = await ada.send()
    await send_due(context)
    later_on = await ada.send(send_at=later(hours=1))
    never = await ada.broadcast(send_at=later(hours=1))
    await ada.post(f"/v1/notifications/{never['id']}/cancel")
    mailed = await ada.broadcast(channels=["inbox", "email"])
    await expand(context, mailed["id"])
    await claim(db, limit=1)

    async def shown(*arguments: object) -> str:
        code, output, errors = await belfry_command(settings, "trace", *map(str, arguments))
        assert (code, errors) == (0, "")
        return output

    assert "failed: 550 5.1.1 no such \ufffd[2Juser" in await shown(failed["id"])
    assert "to arrive" in await shown(later_on["id"])
    assert "cancelled before it arrived" in await shown(never["id"])
    assert "2 e-mails created" in await shown(mailed["id"])
    assert "with w" in await shown(mailed["id"], "--user", ada.id)
    assert "due" in await shown(mailed["id"], "--user", bob.id)
    assert await belfry_command(settings, "trace", "999") == (1, "", "There is no notification 999.\n")
