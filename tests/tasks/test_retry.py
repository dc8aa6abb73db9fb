"""Trying again what had been given up."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from sqlalchemy import text

from belfry.settings import Settings
from db import Database
from db.queries import control
from tasks.context import Context, open_context
from tasks.expand import expand
from tasks.send_due import send_due
from tasks.sweep import sweep
from tests.people import Person
from tests.rows import deliveries, users
from tests.smtp_sink import Fault, Sink

REFUSED = "550 5.7.1 not from you"  # unlike 5.1.1, it says nothing against the address


async def retry(person: Person, sent: Any, expect: int = 200) -> Any:
    return await person.post(f"/v1/notifications/{sent['id']}/retry", expect)


async def retry_span(eve: Person, start: datetime, end: datetime) -> int:
    span: dict[str, Any] = {"from": start.isoformat(), "to": end.isoformat()}
    answer = await eve.post("/v1/deliveries/retry", **span)
    return int(answer["retried"])


async def test_what_failed_is_sent_again_with_all_its_tries(
    context: Context, ada: Person, bob: Person, db: Database, sink: Sink
) -> None:
    sink.once("RCPT", REFUSED)
    sent = await ada.send(to=bob.id)
    await send_due(context)
    assert (await ada.get(f"/v1/notifications/{sent['id']}"))["status"] == "failed"
    again = await retry(ada, sent)
    [row] = await deliveries(db)

    assert (again["status"], row.status, row.attempts, row.reason) == ("pending", "pending", 0, None)
    assert "`pending`" in (await retry(ada, sent, 409))["detail"]
    await send_due(context)
    assert [mail.recipient for mail in sink.mails] == ["bob@example.com"]
    assert "`sent`" in (await retry(ada, sent, 409))["detail"]


async def test_what_is_uncertain_is_sent_again_by_somebody_s_decision(
    settings: Settings, ada: Person, bob: Person, eve: Person, db: Database, sink: Sink
) -> None:
    sink.once("DOT", Fault.DROP)
    sent = await ada.send(to=bob.id)
    async with open_context(msgspec.structs.replace(settings, uncertain="hold")) as context:
        await send_due(context)
        assert (await retry(eve, sent))["status"] == "pending"
        await send_due(context)

    first, second = sink.mails
    assert first.message_id == second.message_id
    assert [row.status for row in await deliveries(db)] == ["sent"]


@pytest.mark.parametrize("state", ["scheduled", "processing", "cancelled", "suppressed", "expired"])
async def test_anything_else_is_left_as_it_is(ada: Person, db: Database, state: str) -> None:
    sent = await ada.send()
    async with db.begin() as tx:
        for table in ("notifications", "deliveries"):
            await tx.execute(text(f"UPDATE {table} SET status = :state"), {"state": state})  # noqa: S608

    assert f"`{state}`" in (await retry(ada, sent, 409))["detail"]
    assert [row.status for row in await deliveries(db)] == [state]


async def test_many_who_ask_at_once_make_one_more_try(context: Context, ada: Person, db: Database, sink: Sink) -> None:
    sink.once("RCPT", REFUSED)
    sent = await ada.send()
    await send_due(context)
    path = f"/v1/notifications/{sent['id']}/retry"
    answers = await asyncio.gather(*(ada.client.post(path) for _ in range(10)))
    await send_due(context)

    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 9
    assert len(sink.mails) == 1


async def test_the_failed_e_mails_of_a_broadcast_are_sent_again(
    context: Context, ada: Person, db: Database, sink: Sink
) -> None:
    sink.once("RCPT", REFUSED, REFUSED, REFUSED)
    await users(db, 9)
    sent = await ada.broadcast(channels=["inbox", "email"])
    await expand(context, sent["id"])
    await send_due(context)
    await sweep(context)
    before = await ada.get(f"/v1/broadcasts/{sent['id']}")
    assert (await retry(ada, sent))["status"] == "processing"
    await send_due(context)
    await sweep(context)
    after = await ada.get(f"/v1/broadcasts/{sent['id']}")

    assert (before["status"], before["sent"], before["failed"]) == ("sent", 7, 3)
    assert (after["status"], after["sent"], after["failed"]) == ("sent", 10, 0)
    assert len({mail.recipient for mail in sink.mails}) == len(sink.mails) == 10
    assert "`sent`" in (await retry(ada, sent, 409))["detail"]


async def test_all_that_failed_in_a_span_of_time_is_sent_again(
    context: Context, ada: Person, eve: Person, db: Database, sink: Sink
) -> None:
    sink.once("RCPT", *[REFUSED] * 6)
    ids = [(await ada.send())["id"] for _ in range(8)]
    await send_due(context)
    now = datetime.now(UTC)
    hours_ago = dict(zip(await _failed(db), (1, 2, 3, 4, 5, 6), strict=True))
    async with db.begin() as tx:
        for id_, hours in hours_ago.items():
            await tx.execute(
                text("UPDATE delivery_attempts SET ended_at = :at WHERE delivery_id = :id"),
                {"id": id_, "at": now - timedelta(hours=hours)},
            )
        # of a broadcast that was cancelled, nothing is sent any more
        await tx.execute(
            text("UPDATE notifications SET status = 'cancelled' WHERE id = (SELECT notification_id FROM deliveries "
                 "WHERE id = :id)"), {"id": next(id_ for id_, hours in hours_ago.items() if hours == 4)},
        )  # fmt: skip

    assert await retry_span(eve, now - timedelta(hours=5), now - timedelta(hours=2)) == 2
    left = await _failed(db)
    assert sorted(hours_ago[id_] for id_ in left) == [1, 2, 4, 6]
    assert await retry_span(eve, now - timedelta(hours=5), now - timedelta(hours=2)) == 0
    await send_due(context)
    assert len(sink.mails) == 4
    statuses = [(await ada.get(f"/v1/notifications/{id_}"))["status"] for id_ in ids]
    assert sorted(statuses) == ["cancelled", "failed", "failed", "failed", "sent", "sent", "sent", "sent"]


async def _failed(db: Database) -> list[int]:
    return [row.id for row in await deliveries(db) if row.status == "failed"]


async def test_more_than_a_batch_is_retried_by_one_request(ada: Person, eve: Person, db: Database) -> None:
    many = control.BATCH * 2 + 1
    recipients = await users(db, many)
    sent = await ada.broadcast(channels=["inbox", "email"])
    async with db.begin() as tx:
        await tx.execute(
            text("""
                WITH made AS (
                    INSERT INTO deliveries (notification_id, user_id, lane, status, attempts)
                    SELECT :id, u, 2, 'failed', 8 FROM unnest(CAST(:users AS bigint[])) u RETURNING id
                )
                INSERT INTO delivery_attempts (delivery_id, worker, started_at, outcome)
                SELECT id, 'w', now(), 'refused' FROM made
            """),
            {"id": sent["id"], "users": recipients},
        )
    now = datetime.now(UTC)

    assert await retry_span(eve, now - timedelta(hours=1), now + timedelta(hours=1)) == many
    assert {(row.status, row.attempts) for row in await deliveries(db)} == {("pending", 0)}


async def test_admins_see_what_failed_the_newest_first_and_no_longer_once_it_is_tried_again(
    context: Context, ada: Person, bob: Person, eve: Person, sink: Sink
) -> None:
    sink.once("RCPT", REFUSED, REFUSED)
    first = await ada.send("First", to=bob.id)
    notice = await ada.broadcast("To all", channels=["inbox", "email"])
    await send_due(context)
    await expand(context, notice["id"])
    await send_due(context)

    newest = await eve.get("/v1/deliveries/failed", page_size=1)
    [one] = newest["items"]
    assert (one["notification_id"], one["type"], one["title"]) == (notice["id"], "broadcast", "To all")
    [other] = (await eve.get("/v1/deliveries/failed", cursor=newest["next_cursor"]))["items"]
    assert (other["notification_id"], other["type"], other["attempts"]) == (first["id"], "personal", 1)
    assert (other["recipient"], other["address"]) == ({"id": bob.id, "name": bob.email}, bob.email)
    assert (other["code"], other["said"]) == (550, REFUSED.removeprefix("550 "))
    assert other["failed_at"] >= first["created_at"]
    await retry(eve, first)
    assert [each["id"] for each in (await eve.get("/v1/deliveries/failed"))["items"]] == [one["id"]]


async def test_only_admins_may_retry_everything_and_the_span_must_have_a_length(ada: Person, eve: Person) -> None:
    span: dict[str, Any] = {"from": "2026-01-02T00:00:00Z", "to": "2026-01-02T01:00:00+01:00"}

    await ada.post("/v1/deliveries/retry", 403, **span)
    refused = await eve.post("/v1/deliveries/retry", 422, **span)
    assert [error["field"] for error in refused["errors"]] == ["to"]
