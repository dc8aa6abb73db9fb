"""Where one is logged in, ending it, and what one may change about oneself."""

import asyncio
from typing import Any, get_args

import pytest
from sqlalchemy import text

from belfry.intake.fields import Language
from belfry.mail.phrases import phrases
from db import Database
from tests.people import PASSWORD, Person
from tests.serving import Serving

HERE = {"origin": "http://localhost:8000"}
NEW = "a longer and a better one"


async def test_logins_are_listed_and_ended_one_by_one_with_their_streams(
    belfry: Serving, bob: Person, ada: Person
) -> None:
    async with belfry.login(bob.email, bob.id) as phone, belfry.anonymous() as browser:
        credentials = {"email": bob.email, "password": PASSWORD}
        await browser.post("/v1/auth/login", json=credentials, headers={"user-agent": "Mozilla/5.0\tFox"})
        listed = await bob.get("/v1/sessions")
        by_phone = {each["id"]: each["current"] for each in await phone.get("/v1/sessions")}
        [phones] = [id_ for id_, current in by_phone.items() if current]
        async with phone.stream() as ended, bob.stream() as open_:
            strangers = await ada.client.delete(f"/v1/sessions/{phones}")
            mine = await bob.client.delete(f"/v1/sessions/{phones}")
            await asyncio.wait_for(ended.ended.wait(), 5)
            await bob.send()
            await open_.next("notification")
        assert (await phone.client.get("/v1/me")).status_code == 401
        assert (await browser.get("/v1/me")).status_code == 200

    assert [each["current"] for each in listed].count(True) == 1
    assert {each["user_agent"] for each in listed} >= {"Mozilla/5.0Fox"}
    assert len(listed) == 3
    assert (strangers.status_code, mine.status_code) == (404, 204)
    assert phones not in [each["id"] for each in await bob.get("/v1/sessions")]


async def test_logging_out_everywhere_ends_all_logins_and_no_key(belfry: Serving, bob: Person, ada: Person) -> None:
    key = (await bob.post("/v1/api-keys", 201, name="CI", scopes=["read"]))["key"]
    async with belfry.login(bob.email, bob.id) as phone, belfry.bearer(key, bob) as program, phone.stream() as events:
        assert (await bob.client.delete("/v1/sessions")).status_code == 204
        await asyncio.wait_for(events.ended.wait(), 5)
        for each in (bob, phone):
            assert (await each.client.get("/v1/me")).status_code == 401
        assert (await program.get("/v1/me"))["id"] == bob.id
    assert (await ada.get("/v1/me"))["id"] == ada.id


async def test_a_new_password_ends_all_other_logins_and_their_streams(
    belfry: Serving, bob: Person, eve: Person
) -> None:
    async with belfry.login(bob.email, bob.id) as thief, thief.stream() as events, bob.stream() as mine:
        await bob.post("/v1/me/password", 422, current="a guess", new=NEW)
        await bob.post("/v1/me/password", 204, current=PASSWORD, new=NEW)
        await asyncio.wait_for(events.ended.wait(), 5)
        await bob.send()
        await mine.next("notification")
        assert (await thief.client.get("/v1/me")).status_code == 401
        again = await thief.client.post("/v1/auth/refresh", json={"refresh_token": thief.refresh_token})
        assert again.status_code == 401
    async with belfry.anonymous() as client:
        answers = [
            await client.post("/v1/auth/login", json={"email": bob.email, "password": each}) for each in (PASSWORD, NEW)
        ]
    [entry] = (await eve.get("/v1/audit", action="user.password_changed"))["items"]

    assert [answer.status_code for answer in answers] == [401, 200]
    assert (entry["actor_id"], entry["detail"]) == (bob.id, {"ended": 1})


async def test_a_login_that_was_checked_before_the_password_changed_does_not_open(
    belfry: Serving, bob: Person, db: Database
) -> None:
    async with belfry.anonymous() as client:
        async with db.begin() as tx:
            await tx.execute(text("UPDATE users SET password_hash = 'x' WHERE id = :id"), {"id": bob.id})
            login = asyncio.create_task(client.post("/v1/auth/login", json={"email": bob.email, "password": PASSWORD}))
            waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
            async with db.statement() as look:
                while not await look.scalar(waiting):
                    assert not login.done()
                    await asyncio.sleep(0.01)  # PostgreSQL has no event for it
        assert (await login).status_code == 401


async def test_one_changes_ones_name_language_and_clock(bob: Person) -> None:
    first = await bob.client.patch("/v1/me", json={"language": "zh-Hans", "time_zone": "Asia/Shanghai"})
    second = await bob.client.patch("/v1/me", json={"display_name": "Bob \u674e"})

    assert (first.status_code, second.status_code) == (200, 200)
    assert second.json() == await bob.get("/v1/me")
    assert (second.json()["display_name"], second.json()["language"], second.json()["time_zone"]) == (
        "Bob \u674e",
        "zh-Hans",
        "Asia/Shanghai",
    )


def test_the_languages_to_choose_are_those_that_mails_are_written_in() -> None:
    [choice, *_] = get_args(Language)

    assert all(phrases(each).code == each for each in get_args(choice))


@pytest.mark.parametrize("change", [{"language": "fr"}, {"time_zone": "Mars/Olympus"}, {"display_name": "a\nb"}])
async def test_a_change_that_cannot_be_changes_nothing(bob: Person, change: dict[str, Any]) -> None:
    before = await bob.get("/v1/me")
    answer = await bob.client.patch("/v1/me", json={"display_name": "Robert"} | change)

    assert (answer.status_code, await bob.get("/v1/me")) == (422, before)
