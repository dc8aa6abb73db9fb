"""Having another address."""

import asyncio
from typing import Any

import httpx
import msgspec
import pytest

from belfry.settings import Settings
from db import Database
from tests.mailing import Mailboxes, text_of
from tests.people import PASSWORD, Person
from tests.serving import Serving, serving

NEW = "bob@elsewhere.example"


async def post(belfry: Serving, path: str, **body: Any) -> httpx.Response:
    async with belfry.anonymous() as client:
        return await client.post(f"/v1/auth/{path}", json=body)


async def test_a_new_address_holds_once_its_link_is_used_and_the_old_one_is_told(
    belfry: Serving, mailboxes: Mailboxes, bob: Person, eve: Person
) -> None:
    await bob.post("/v1/me/email", 422, email=NEW, password="not mine")
    await bob.post("/v1/me/email", 422, email=bob.email.upper(), password=PASSWORD)
    asked = await bob.post("/v1/me/email", 202, email="first@elsewhere.example", password=PASSWORD)
    superseded = await mailboxes.token("first@elsewhere.example", "verify")
    await bob.post("/v1/me/email", 202, email="Bob@Elsewhere.example", password=PASSWORD)
    token = await mailboxes.token("Bob@elsewhere.example", "verify")
    assert (await post(belfry, "password/forgot", email=bob.email)).status_code == 202
    of_old = await mailboxes.token(bob.email, "reset")
    before = await bob.get("/v1/me")
    wrong = await post(belfry, "email/verify", token=token, password="its reader's, not bob's")
    answers = await asyncio.gather(*(post(belfry, "email/verify", token=token, password=PASSWORD) for _ in range(2)))
    [told] = await mailboxes.new()
    after = await bob.get("/v1/me")
    [entry] = (await eve.get("/v1/audit", action="user.email_changed"))["items"]

    assert asked == {"email": "first@elsewhere.example", "expires_in": 86_400}
    assert (await post(belfry, "email/verify", token=superseded, password=PASSWORD)).status_code == 422
    assert (await post(belfry, "password/reset", token=of_old, password="another long one")).status_code == 422
    assert (before["email"], wrong.status_code) == (bob.email, 422)
    assert sorted(answer.status_code for answer in answers) == [200, 422]
    assert {"email": "Bob@elsewhere.example", "done": "changed"} in [answer.json() for answer in answers]
    assert (after["email"], after["email_verified"]) == ("Bob@elsewhere.example", True)
    assert (told.recipient, str(told.message["Subject"])) == (bob.email, "Your e-mail address was changed")
    assert "elsewhere" not in text_of(told.message)  # the old one may never have been the user's
    assert (entry["subject"], entry["detail"]) == ("Bob@elsewhere.example", {"before": bob.email})
    assert (await post(belfry, "login", email=bob.email, password=PASSWORD)).status_code == 401
    assert (await post(belfry, "login", email=NEW, password=PASSWORD)).status_code == 200


@pytest.mark.parametrize(("required", "status"), [(False, 409), (True, 202)])
async def test_an_address_that_somebody_has_or_takes_meanwhile_is_not_given_away(
    settings: Settings, db: Database, mailboxes: Mailboxes, required: bool, status: int
) -> None:
    strict = msgspec.structs.replace(settings, require_verified_email=required)
    async with (
        serving(strict) as belfry,
        belfry.person("bob@example.com") as bob,
        belfry.person("ada@example.com") as ada,
    ):
        taken = await bob.client.post("/v1/me/email", json={"email": "ADA@example.com", "password": PASSWORD})
        told = [(mail.recipient, str(mail.message["Subject"])) for mail in await mailboxes.new()]
        await bob.post("/v1/me/email", 202, email=NEW, password=PASSWORD)
        bobs = await mailboxes.token(NEW, "verify")
        await ada.post("/v1/me/email", 202, email=NEW, password=PASSWORD)
        adas = await mailboxes.token(NEW, "verify")
        answers = await asyncio.gather(
            *(post(belfry, "email/verify", token=each, password=PASSWORD) for each in (bobs, adas))
        )
        mine, hers = (await bob.get("/v1/me"))["email"], (await ada.get("/v1/me"))["email"]

    assert taken.status_code == status
    assert told == ([("ada@example.com", "You have an account already")] if required else [])
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert [mine, hers].count(NEW) == 1
