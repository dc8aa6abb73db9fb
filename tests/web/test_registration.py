"""Making accounts where addresses must be verified, and by invitation."""

import asyncio
from typing import Any

import httpx
import msgspec
import pytest
from sqlalchemy import text

from belfry.settings import Settings
from db import Database
from tests.mailing import Mailboxes, text_of
from tests.people import PASSWORD, Person
from tests.serving import Serving, serving

OTHER = "another one for the thief"
GRACE = "grace@example.com"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return msgspec.structs.replace(settings, require_verified_email=True, security_mails_per_address=0)


async def post(belfry: Serving, path: str, **body: Any) -> httpx.Response:
    async with belfry.anonymous() as client:
        return await client.post(f"/v1/auth/{path}", json=body)


async def test_an_account_is_made_when_its_address_is_verified_and_not_before(
    belfry: Serving, mailboxes: Mailboxes, db: Database
) -> None:
    asked = await post(
        belfry, "register", email="Grace@Example.com", password=PASSWORD, display_name="Grace", language="zh-Hans"
    )
    early = await post(belfry, "login", email=GRACE, password=PASSWORD)
    token = await mailboxes.token("Grace@example.com", "verify")
    looked = await post(belfry, "link", token=token)
    wrong = await post(belfry, "email/verify", token=token, password=OTHER)
    verified = await post(belfry, "email/verify", token=token, password=PASSWORD)
    again = await post(belfry, "email/verify", token=token, password=PASSWORD)
    opened = await post(belfry, "login", email=GRACE, password=PASSWORD)
    async with belfry.anonymous() as client:
        me = await client.get("/v1/me", headers={"authorization": f"Bearer {opened.json()['access_token']}"})

    assert (asked.status_code, asked.json()) == (202, {"email": "Grace@example.com", "expires_in": 86_400})
    assert early.status_code == 401
    assert "not verified yet" in early.json()["detail"]
    assert looked.json()["purpose"] == "verify"
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "password")
    assert (verified.status_code, verified.json()) == (200, {"email": "Grace@example.com", "done": "registered"})
    assert (again.status_code, again.json()["errors"][0]["field"]) == (422, "token")
    assert me.json() | {"id": 0} == {
        "id": 0,
        "email": "Grace@example.com",
        "email_verified": True,
        "display_name": "Grace",
        "role": "member",
        "time_zone": "UTC",
        "language": "zh-Hans",
    }
    async with db.statement() as tx:  # nothing about the token is anywhere
        kept = await tx.scalar(
            text("SELECT string_agg(m::text || p::text, '') FROM security_mails m, pending_accounts p")
        )
    assert token not in kept


async def test_registering_answers_the_same_whoever_has_an_account(
    belfry: Serving, mailboxes: Mailboxes, bob: Person, db: Database
) -> None:
    runs = belfry.given.passwords.runs
    new = await post(belfry, "register", email=GRACE, password=PASSWORD)
    first = belfry.given.passwords.runs - runs
    taken = await post(belfry, "register", email=bob.email.upper(), password=OTHER)
    second = belfry.given.passwords.runs - runs - first
    mails = {mail.recipient: mail.message for mail in await mailboxes.new()}
    thief = await post(belfry, "login", email=bob.email, password=OTHER)

    assert (new.status_code, taken.status_code) == (202, 202)
    assert {**new.json(), "email": ""} == {**taken.json(), "email": ""}
    assert set(new.headers) == set(taken.headers)
    assert (first, second) == (1, 1)
    assert str(mails[bob.email]["Subject"]) == "You have an account already"
    assert "#/" not in text_of(mails[bob.email])
    assert thief.status_code == 401
    async with db.statement() as tx:
        assert await tx.scalar(text("SELECT count(*) FROM users")) == 1


async def test_of_several_who_register_with_an_address_one_gets_it(belfry: Serving, mailboxes: Mailboxes) -> None:
    links = []
    for password in (PASSWORD, OTHER):
        assert (await post(belfry, "register", email=GRACE, password=password)).status_code == 202
        links.append(await mailboxes.token(GRACE, "verify"))
    others = [await post(belfry, "email/verify", token=links[0], password=OTHER)]
    others += [await post(belfry, "email/verify", token=links[1], password=PASSWORD)]
    answers = await asyncio.gather(
        *(post(belfry, "email/verify", token=links[n], password=(PASSWORD, OTHER)[n]) for n in (0, 1, 0, 1))
    )
    opened = [(await post(belfry, "login", email=GRACE, password=each)).status_code for each in (PASSWORD, OTHER)]

    assert [answer.status_code for answer in others] == [422, 422]  # a link makes nobody else's account
    assert sorted(answer.status_code for answer in answers)[0] == 200
    assert [answer.status_code for answer in answers].count(200) == 1
    assert {answer.status_code for answer in answers} <= {200, 409, 422}
    assert sorted(opened) == [200, 401]


async def test_who_is_not_verified_gets_no_mail_and_does_not_get_in_until_a_link_was_used(
    belfry: Serving, mailboxes: Mailboxes, ada: Person, bob: Person, db: Database
) -> None:
    """An account from before the setting, that is logged in."""
    async with db.begin() as tx:
        await tx.execute(text("UPDATE users SET email_verified_at = NULL WHERE id = :id"), {"id": bob.id})
    sent = await ada.send(to=bob.email)
    assert await mailboxes.new() == []
    trace = await ada.get(f"/v1/notifications/{sent['id']}/trace")
    refused = await post(belfry, "login", email=bob.email, password=PASSWORD)
    await bob.post("/v1/me/email/verify", 202)
    token = await mailboxes.token(bob.email, "verify")
    wrong = await post(belfry, "email/verify", token=token, password=OTHER)
    verified = await post(belfry, "email/verify", token=token, password=PASSWORD)
    await bob.post("/v1/me/email/verify", 409)
    await ada.send(to=bob.email, title="Now it comes")

    assert (trace["status"], trace["reason"]) == ("suppressed", "the address is not verified")
    assert trace["deliveries"][0]["attempts"][0]["outcome"] == "suppressed"
    assert (refused.status_code, wrong.status_code) == (401, 422)
    assert verified.json() == {"email": bob.email, "done": "verified"}
    assert (await bob.get("/v1/me"))["email_verified"] is True
    assert [str(mail.message["Subject"]) for mail in await mailboxes.new()] == ["Now it comes"]
    assert (await post(belfry, "login", email=bob.email, password=PASSWORD)).status_code == 200


async def test_an_invitation_makes_one_account_with_its_role(
    belfry: Serving, mailboxes: Mailboxes, eve: Person, ada: Person
) -> None:
    first = await eve.post("/v1/invitations", 201, email=GRACE)
    stale = await mailboxes.token(GRACE, "invite")
    invited = await eve.post("/v1/invitations", 201, email="Grace@Example.COM", role="sender", language="zh-Hans")
    token = await mailboxes.token("Grace@example.com", "invite")
    listed = (await eve.get("/v1/invitations"))["items"]
    looked = await post(belfry, "link", token=token)
    weak = await post(belfry, "invitation", token=token, password="grace@example.com")
    wrong = [
        (await post(belfry, path, token=token, **more)).status_code
        for path, more in (("email/verify", {"password": PASSWORD}), ("password/reset", {"password": PASSWORD}))
    ]
    answers = await asyncio.gather(
        *(post(belfry, "invitation", token=token, password=PASSWORD, display_name=name) for name in ("G", "H"))
    )
    opened = await post(belfry, "login", email=GRACE, password=PASSWORD)
    taken = await eve.client.post("/v1/invitations", json={"email": ada.email})

    assert first["role"] == "member"
    assert (await post(belfry, "invitation", token=stale, password=PASSWORD)).status_code == 422
    assert [(each["id"], each["mail"], each["reason"]) for each in listed] == [(invited["id"], "sent", None)]
    assert listed[0]["invited_by"] == {"id": eve.id, "name": eve.email}
    assert looked.json() | {"expires_at": ""} == {
        "purpose": "invite",
        "email": "Grace@example.com",
        "expires_at": "",
        "role": "sender",
        "invited_by": eve.email,
    }
    assert (weak.status_code, weak.json()["errors"][0]["field"]) == (422, "password")
    assert wrong == [422, 422]
    assert sorted(answer.status_code for answer in answers) == [201, 422]
    [made] = [answer.json() for answer in answers if answer.status_code == 201]
    assert (made["role"], made["language"], made["email_verified"]) == ("sender", "zh-Hans", True)
    assert opened.status_code == 200
    assert (await eve.get("/v1/invitations"))["items"] == []
    assert taken.status_code == 409


async def test_an_invitation_is_void_when_it_is_taken_back_too_old_or_its_admin_is_none_any_more(
    belfry: Serving, mailboxes: Mailboxes, eve: Person, db: Database
) -> None:
    async def invite(email: str) -> tuple[int, str]:
        made = await eve.post("/v1/invitations", 201, email=email, role="admin")
        return made["id"], await mailboxes.token(email, "invite")

    revoked, of_revoked = await invite("a@example.com")
    old, of_old = await invite("b@example.com")
    _, of_fallen = await invite("c@example.com")
    unsent = await eve.post("/v1/invitations", 201, email="d@example.com")
    for each in (revoked, unsent["id"]):
        assert (await eve.client.delete(f"/v1/invitations/{each}")).status_code == 204
    assert (await eve.client.delete(f"/v1/invitations/{revoked}")).status_code == 404
    assert await mailboxes.new() == []
    async with db.begin() as tx:
        await tx.execute(text("UPDATE security_mails SET expires_at = now() WHERE id = :id"), {"id": old})
        await tx.execute(text("UPDATE users SET role = 'member' WHERE id = :id"), {"id": eve.id})
    answers = [
        await post(belfry, "invitation", token=each, password=PASSWORD) for each in (of_revoked, of_old, of_fallen)
    ]
    looks = [await post(belfry, "link", token=each) for each in (of_revoked, of_old, of_fallen)]

    assert {answer.status_code for answer in answers + looks} == {422}
    assert len({answer.text for answer in answers + looks}) == 1


@pytest.mark.parametrize(("registration", "register", "invite"), [("invitation", 403, 201), ("closed", 403, 403)])
async def test_who_may_make_an_account_is_a_setting(
    settings: Settings, db: Database, mailboxes: Mailboxes, registration: Any, register: int, invite: int
) -> None:
    strict = msgspec.structs.replace(settings, registration=registration, require_verified_email=False)
    async with serving(strict) as belfry, belfry.person("eve@example.com", role="admin") as eve:
        async with belfry.anonymous() as client:
            rules = (await client.get("/v1/auth/rules")).json()
        refused = await post(belfry, "register", email=GRACE, password=PASSWORD)
        invited = await eve.client.post("/v1/invitations", json={"email": GRACE})
        if invite == 201:
            token = await mailboxes.token(GRACE, "invite")
            assert (await post(belfry, "invitation", token=token, password=PASSWORD)).status_code == 201

    assert rules == {
        "registration": registration,
        "verified_email_required": False,
        "shortest_password": 8,
        "longest_password": 256,
        "mail_is_caught": False,
    }
    assert (refused.status_code, invited.status_code) == (register, invite)


async def test_nobody_makes_us_write_to_somebody_all_day(
    settings: Settings, db: Database, mailboxes: Mailboxes
) -> None:
    few = msgspec.structs.replace(settings, security_mails_per_recipient=2, security_mails_per_address=4)
    async with serving(few) as belfry, belfry.person("bob@example.com") as bob:
        known = [await post(belfry, "password/forgot", email=bob.email) for _ in range(3)]
        unknown = [await post(belfry, "register", email=GRACE, password=PASSWORD) for _ in range(2)]
        elsewhere = await post(belfry, "password/forgot", email="alan@example.com")

    assert [answer.status_code for answer in known] == [202, 202, 429]
    assert [answer.status_code for answer in unknown] == [202, 202]
    assert (elsewhere.status_code, elsewhere.json()["status"]) == (429, 429)
    assert len(await mailboxes.new()) == 4
