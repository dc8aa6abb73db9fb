"""`Idempotency-Key`: the same key and body has one effect and one answer."""

import asyncio
from typing import Any

import httpx
import pytest

from db import Database
from tests.people import Person
from tests.web.test_bad_input import row_counts

KEY = {"idempotency-key": "deploy-42"}


def posting(person: Person, path: str, body: dict[str, Any]) -> asyncio.Task[httpx.Response]:
    return asyncio.create_task(person.client.post(path, json=body, headers=KEY))


@pytest.mark.parametrize(
    ("path", "to"),
    [
        ("/v1/notifications", {"to": "bob@example.com"}),
        ("/v1/notifications/batch", {"to": ["bob@example.com", "ada@example.com"]}),
        ("/v1/broadcasts", {}),
    ],
)
async def test_fifty_at_once_have_one_effect_and_one_answer(
    ada: Person, bob: Person, db: Database, path: str, to: dict[str, Any]
) -> None:
    body = {"title": "Deployed"} | to
    async with bob.stream() as events:
        answers = await asyncio.gather(*(posting(ada, path, body) for _ in range(50)))
        await ada.send("That is all", to=bob.id, channels=["inbox"])
        while (await events.next("notification")).data["title"] != "That is all":
            pass
        titles = [event.data["title"] for event in events.seen if event.name == "notification"]

    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.text for answer in answers}) == 1
    assert titles == ["Deployed", "That is all"]
    assert (await row_counts(db))["idempotency"] == 1
    assert await bob.unread() == 2


async def test_a_key_with_another_body_is_refused(ada: Person, db: Database) -> None:
    first = await ada.post("/v1/notifications", 202, KEY, title="One")
    before = await row_counts(db)
    refused = await ada.post("/v1/notifications", 422, KEY, title="Two")

    assert refused["errors"] == [{"field": "Idempotency-Key", "message": "this key was already used with another body"}]
    assert await row_counts(db) == before
    assert await ada.post("/v1/notifications", 202, KEY, title="One") == first


async def test_the_key_of_a_failed_request_is_free_again(ada: Person, bob: Person, db: Database) -> None:
    await ada.post("/v1/notifications", 422, KEY, title="One", to="nobody@example.com")
    await bob.post("/v1/notifications", 403, KEY, title="One", to=ada.id)

    assert (await row_counts(db))["idempotency"] == 0
    await ada.post("/v1/notifications", 202, KEY, title="One", to=bob.id)
    await bob.post("/v1/notifications", 202, KEY, title="One")


async def test_a_key_is_one_users_and_one_routes(ada: Person, eve: Person) -> None:
    await ada.post("/v1/notifications", 202, KEY, title="One")
    await ada.post("/v1/broadcasts", 202, KEY, title="One")
    await eve.post("/v1/notifications", 202, KEY, title="One")

    assert await ada.unread() == await eve.unread() == 2


async def test_the_first_answer_is_given_even_when_the_item_has_changed_since(ada: Person) -> None:
    first = await ada.post("/v1/notifications", 202, KEY, title="One")
    await ada.mark("delete", ids=[first["id"]])

    assert await ada.post("/v1/notifications", 202, KEY, title="One") == first
    assert await ada.unread() == 0
