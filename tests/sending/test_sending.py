"""What a send writes, for whom, and what the streams hear of it."""

from collections.abc import Callable
from typing import Any, NamedTuple

from sqlalchemy import text

from db import Database
from tests.people import Person
from tests.rows import deliveries
from tests.serving import Serving
from tests.web.test_bad_input import row_counts


async def modseq(db: Database, person: Person) -> int:
    async with db.statement() as tx:
        return int(await tx.scalar(text("SELECT modseq FROM inboxes WHERE user_id = :id"), {"id": person.id}))


async def test_what_is_left_out_is_for_oneself_in_the_inbox_and_by_email(ada: Person, db: Database) -> None:
    sent = await ada.send()
    [item] = (await ada.inbox())["items"]
    [delivery] = await deliveries(db)

    assert item == sent
    assert sent["channels"] == ["inbox", "email"]
    assert (sent["type"], sent["priority"], sent["tags"], sent["content"], sent["link"]) == (
        "personal",
        3,
        [],
        "",
        None,
    )
    assert (sent["state"], sent["status"], sent["read_at"]) == ("unread", "pending", None)
    assert (delivery.user_id, delivery.status, delivery.lane) == (ada.id, "pending", 1)


async def test_a_recipient_is_found_by_id_and_by_address_in_any_case(ada: Person, bob: Person) -> None:
    for to in (bob.id, "bob@example.com", "BOB@Example.COM"):
        await ada.send(to=to)

    assert await bob.unread() == 3
    assert await ada.unread() == 0


async def test_a_batch_writes_to_each_recipient_once_in_the_order_they_are_named(
    ada: Person, bob: Person, eve: Person, db: Database
) -> None:
    to = [eve.id, bob.email, "EVE@example.com", ada.id, bob.id]
    answer = await ada.post(
        "/v1/notifications/batch", 202, title="Hello", to=to, channels=["inbox", "desktop", "inbox"]
    )
    items = [await ada.get(f"/v1/notifications/{id_}") for id_ in answer["ids"]]
    async with db.statement() as tx:
        owners = list(await tx.scalars(text("SELECT user_id FROM notifications ORDER BY id")))

    assert answer["ids"] == sorted(answer["ids"])
    assert owners == [eve.id, bob.id, ada.id]
    assert {tuple(item["channels"]) for item in items} == {("inbox", "desktop")}
    assert [await person.unread() for person in (ada, bob, eve)] == [1, 1, 1]


async def test_a_batch_takes_a_thousand_and_with_one_unknown_none(
    belfry: Serving, ada: Person, bob: Person, db: Database
) -> None:
    made = text("""
        WITH made AS (
            INSERT INTO users (email, password_hash)
            SELECT 'user' || n || '@example.com', '' FROM generate_series(1, 999) n RETURNING id
        ) INSERT INTO inboxes (user_id) SELECT id FROM made RETURNING user_id
    """)
    async with db.begin() as tx:
        everybody = [*await tx.scalars(made), bob.id]
    before = await row_counts(db)
    refused = await ada.post("/v1/notifications/batch", 422, title="Hello", to=[*everybody[1:], 10**9])
    unchanged = await row_counts(db)
    accepted = await ada.post("/v1/notifications/batch", 202, title="Hello", to=everybody)

    assert [error["field"] for error in refused["errors"]] == ["to[999]"]
    assert unchanged == before
    assert len(set(accepted["ids"])) == 1_000
    assert len(await deliveries(db)) == 1_000


class Case(NamedTuple):
    channels: list[str]
    priority: int
    numbered: bool = False
    mailed: bool = False
    alerted: bool = False


CASES = [
    Case(["inbox"], 3, numbered=True),
    Case(["inbox"], 5, numbered=True, alerted=True),
    Case(["inbox", "desktop"], 3, numbered=True, alerted=True),
    Case(["inbox", "desktop"], 1, numbered=True),
    Case(["inbox", "email", "desktop"], 2, numbered=True, mailed=True, alerted=True),
    Case(["email"], 3, mailed=True),
    Case(["email"], 5, mailed=True, alerted=True),
    Case(["desktop"], 2, alerted=True),
    Case(["desktop"], 1),
]


async def test_channels_and_priority_decide_what_happens(ada: Person, bob: Person, db: Database) -> None:
    async with bob.stream() as events:
        sent = [await ada.send(to=bob.id, channels=case.channels, priority=case.priority) for case in CASES]
        await ada.send("That is all", to=bob.id, channels=["inbox"])
        while (await events.next("notification")).data["title"] != "That is all":
            pass
        alerted = [event.data["notification_id"] for event in events.seen if event.name == "desktop"]
        numbered = [event.data["id"] for event in events.seen if event.name == "notification"][:-1]
    mailed = [delivery.notification_id for delivery in await deliveries(db)]

    def those(chosen: Callable[[Case], bool]) -> list[int]:
        return [item["id"] for item, case in zip(sent, CASES, strict=True) if chosen(case)]

    assert alerted == those(lambda case: case.alerted)
    assert numbered == those(lambda case: case.numbered)
    assert mailed == those(lambda case: case.mailed)
    assert [item["status"] for item in sent] == ["pending" if case.mailed else "none" for case in CASES]
    assert await modseq(db, bob) == await bob.unread() == len(numbered) + 1
    assert [item["id"] for item in (await bob.inbox(page_size=100))["items"]][:0:-1] == numbered


async def test_a_broadcast_is_one_row_and_with_email_one_expansion(
    ada: Person, bob: Person, eve: Person, db: Database
) -> None:
    before = await row_counts(db)
    quiet = await ada.broadcast()
    after_quiet = await row_counts(db)
    mailed = await ada.broadcast(channels=["inbox", "email"])
    after_mailed = await row_counts(db)

    def grown(old: dict[str, int], new: dict[str, int]) -> dict[str, int]:
        return {table: new[table] - old[table] for table in new if new[table] != old[table]}

    assert grown(before, after_quiet) == {"notifications": 1, "audit": 1}
    assert grown(after_quiet, after_mailed) == {"notifications": 1, "expansions": 1, "audit": 1}
    assert (quiet["status"], mailed["status"]) == ("none", "pending")
    assert [await person.unread() for person in (ada, bob, eve)] == [2, 2, 2]


async def test_only_those_who_were_there_see_a_broadcast(belfry: Serving, ada: Person, bob: Person) -> None:
    sent = await ada.broadcast()
    async with belfry.person("late@example.com") as late:
        inbox: Any = await late.inbox()
        answer = await late.client.get(f"/v1/notifications/{sent['id']}")
        progress = await ada.get(f"/v1/broadcasts/{sent['id']}")

    assert (inbox["items"], inbox["unread"], answer.status_code) == ([], 0, 404)
    assert (progress["total"], progress["read"]) == (2, 0)
