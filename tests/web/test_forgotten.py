"""Forgotten passwords, and showing the password once more."""

import asyncio
from typing import Any

import httpx
import pytest
from sqlalchemy import event, text

from db import Database
from tests.mailing import Mailboxes, text_of
from tests.people import PASSWORD, Person
from tests.serving import Serving

NEW = "a longer and a better one"
NOBODY = "nobody@example.com"


async def post(belfry: Serving, path: str, **body: Any) -> httpx.Response:
    async with belfry.anonymous() as client:
        return await client.post(f"/v1/auth/{path}", json=body)


async def forgotten(belfry: Serving, mailboxes: Mailboxes, person: Person) -> str:
    assert (await post(belfry, "password/forgot", email=person.email)).status_code == 202
    return await mailboxes.token(person.email, "reset")


async def test_a_link_sets_a_new_password_once_and_ends_all_logins_with_their_streams(
    belfry: Serving, mailboxes: Mailboxes, bob: Person, eve: Person
) -> None:
    key = (await bob.post("/v1/api-keys", 201, name="CI", scopes=["read"]))["key"]
    first, token = await forgotten(belfry, mailboxes, bob), await forgotten(belfry, mailboxes, bob)
    weak = await post(belfry, "password/reset", token=token, password="password1")
    async with bob.stream() as events, belfry.bearer(key, bob) as program:
        answers = await asyncio.gather(*(post(belfry, "password/reset", token=token, password=NEW) for _ in range(2)))
        await asyncio.wait_for(events.ended.wait(), 5)
        assert (await bob.client.get("/v1/me")).status_code == 401
        assert (await program.get("/v1/me"))["id"] == bob.id
    other = await post(belfry, "password/reset", token=first, password=NEW)
    logins = [(await post(belfry, "login", email=bob.email, password=each)).status_code for each in (PASSWORD, NEW)]
    [told] = await mailboxes.new()
    entries = (await eve.get("/v1/audit"))["items"]

    assert (weak.status_code, weak.json()["errors"][0]["field"]) == (422, "password")
    assert sorted(answer.status_code for answer in answers) == [204, 422]
    assert (other.status_code, other.json()["errors"][0]["field"]) == (422, "token")
    assert logins == [401, 200]
    assert (told.recipient, str(told.message["Subject"])) == (bob.email, "Your password was changed")
    assert "/#/" not in text_of(told.message)
    assert [each["detail"] for each in entries if each["action"] == "user.password_changed"] == [{"ended": 1}]
    assert token not in str(entries)


@pytest.mark.usefixtures("turns_stay_used")
async def test_what_was_made_before_the_mailbox_was_seen_ends_with_the_first_link(
    belfry: Serving, mailboxes: Mailboxes, bob: Person, ada: Person, db: Database
) -> None:
    """Somebody registers with another's address, makes a key, and waits for its owner to ask for a new password."""
    key = (await bob.post("/v1/api-keys", 201, name="planted", scopes=["read", "stream"]))["key"]
    async with db.begin() as tx:
        await tx.execute(text("UPDATE users SET email_verified_at = NULL WHERE id = :id"), {"id": bob.id})
    token = await forgotten(belfry, mailboxes, bob)
    async with belfry.bearer(key, bob) as planted, planted.stream() as events:
        answer = await post(belfry, "password/reset", token=token, password=NEW)
        await asyncio.wait_for(events.ended.wait(), 5)
        assert (await planted.client.get("/v1/me")).status_code == 401
    async with belfry.anonymous() as owner, belfry.anonymous() as stranger:
        owner.cookies.update(answer.cookies)  # the mailbox shows as much as a login does
        for client, statuses in ((stranger, [401] * 10 + [429]), (owner, [200])):
            body = {"email": bob.email, "password": NEW if client is owner else "a guess"}
            assert [(await client.post("/v1/auth/login", json=body)).status_code for _ in statuses] == statuses


async def test_asking_for_a_link_answers_and_costs_the_same_whoever_has_an_account(
    belfry: Serving, mailboxes: Mailboxes, bob: Person, ada: Person, db: Database
) -> None:
    async with db.begin() as tx:
        await tx.execute(text("UPDATE users SET disabled_at = now() WHERE id = :id"), {"id": ada.id})
    statements: list[str] = []

    def note(_1: Any, _2: Any, statement: str, *_: Any) -> None:
        if any(each in statement for each in ("lower(", "security_mails", "SAVEPOINT", "audit")):  # not the streams'
            statements.append(statement.split()[0] if "SAVEPOINT" in statement else statement)

    event.listen(belfry.given.db.config.get_engine().sync_engine, "before_cursor_execute", note)
    answers, work = [], []
    for each in (bob.email, NOBODY, ada.email):
        statements.clear()
        answers.append(await post(belfry, "password/forgot", email=each))
        work.append([one for one in statements if one not in ("RELEASE", "ROLLBACK")])

    assert work[0] == work[1] == work[2]
    assert len(work[0]) == 5
    assert {answer.status_code for answer in answers} == {202}
    assert (
        len(
            {
                answer.text.replace(email, "")
                for answer, email in zip(answers, (bob.email, NOBODY, ada.email), strict=True)
            }
        )
        == 1
    )
    assert [mail.recipient for mail in await mailboxes.new()] == [bob.email]


async def test_a_link_is_void_when_its_time_is_over_or_something_else_was_done_instead(
    belfry: Serving, mailboxes: Mailboxes, bob: Person, db: Database
) -> None:
    old = await forgotten(belfry, mailboxes, bob)
    async with db.begin() as tx:
        await tx.execute(text("UPDATE security_mails SET expires_at = now()"))
    overtaken = await forgotten(belfry, mailboxes, bob)
    for_address = await post(belfry, "email/verify", token=overtaken, password=PASSWORD)
    assert (await post(belfry, "password/forgot", email=bob.email)).status_code == 202  # not sent yet
    await bob.post("/v1/me/password", 204, current=PASSWORD, new=NEW)
    subjects = [str(mail.message["Subject"]) for mail in await mailboxes.new()]
    answers = [await post(belfry, "password/reset", token=each, password=PASSWORD) for each in (old, overtaken)]
    async with db.statement() as tx:
        reasons = (await tx.execute(text("SELECT status, reason FROM deliveries WHERE reason IS NOT NULL"))).all()

    assert {answer.status_code for answer in (*answers, for_address)} == {422}
    assert len({answer.text for answer in (*answers, for_address)}) == 1
    assert subjects == ["Your password was changed"]
    assert [tuple(row) for row in reasons] == [("expired", "its link had been used or made void, or its time was over")]


@pytest.mark.usefixtures("turns_stay_used")
async def test_links_are_not_tried_out(belfry: Serving) -> None:
    async with belfry.anonymous() as client:
        answers = [(await client.post("/v1/auth/link", json={"token": f"bll_{n:043}"})).status_code for n in range(31)]

    assert answers == [422] * 30 + [429]


async def test_what_outlives_a_login_is_made_only_by_who_showed_the_password_a_short_while_ago(
    bob: Person, eve: Person, db: Database
) -> None:
    async def attempts() -> list[httpx.Response]:
        return [
            await eve.client.post("/v1/api-keys", json={"name": "CI", "scopes": ["read"]}),
            await eve.client.patch(f"/v1/users/{bob.id}", json={"role": "sender"}),
            await eve.client.post("/v1/invitations", json={"email": NOBODY, "role": "admin"}),
        ]

    async with db.begin() as tx:
        await tx.execute(text("UPDATE sessions SET authenticated_at = now() - interval '11 minutes'"))
    refused = await attempts()
    await eve.post("/v1/auth/confirm", 204, password=PASSWORD)
    done = await attempts()

    assert {(answer.status_code, answer.json()["title"]) for answer in refused} == {(403, "Confirm it is you")}
    assert [answer.status_code for answer in done] == [201, 200, 201]


async def test_other_logins_are_ended_only_by_who_showed_the_password_a_short_while_ago(
    belfry: Serving, bob: Person, db: Database
) -> None:
    long_ago = text("UPDATE sessions SET authenticated_at = now() - interval '11 minutes'")
    async with belfry.login(bob.email, bob.id) as phone, belfry.anonymous() as browser:
        browser.headers["sec-fetch-site"] = "same-origin"
        await browser.post("/v1/auth/login", json={"email": bob.email, "password": PASSWORD})
        cookie = browser.cookies["belfry"]
        phones = next(each["id"] for each in await phone.get("/v1/sessions") if each["current"])
        async with db.begin() as tx:
            await tx.execute(long_ago)
        refused = [await browser.delete(path) for path in (f"/v1/sessions/{phones}", "/v1/sessions")]
        wrong = await browser.post("/v1/auth/confirm", json={"password": "not mine"})
        right = await browser.post("/v1/auth/confirm", json={"password": PASSWORD})
        copied = await bob.client.get("/v1/me", headers={"authorization": "", "cookie": f"belfry={cookie}"})
        ended = await browser.delete(f"/v1/sessions/{phones}")
        assert (await phone.client.get("/v1/me")).status_code == 401
        assert (await browser.get("/v1/me")).status_code == 200
        mine = next(each["id"] for each in await bob.get("/v1/sessions") if each["current"])
        assert (await bob.client.delete("/v1/sessions")).status_code == 403
        assert (await bob.client.delete(f"/v1/sessions/{mine}")).status_code == 204

    assert {(answer.status_code, answer.json()["title"]) for answer in refused} == {(403, "Confirm it is you")}
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "password")
    assert (right.status_code, ended.status_code) == (204, 204)
    assert browser.cookies["belfry"] != cookie
    assert copied.status_code == 401
