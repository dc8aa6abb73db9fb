"""Who did what: for admins, without a secret."""

import json

from sqlalchemy import text

from belfry.settings import Settings
from db import Database
from tests.people import PASSWORD, Person
from tests.processes import belfry_command
from tests.serving import Serving


async def test_logins_are_recorded_and_never_what_was_typed_as_password(belfry: Serving, eve: Person) -> None:
    async with belfry.anonymous() as client:
        for email, password in (
            ("eve@example.com", PASSWORD),
            ("eve@example.com", "my other password"),
            ("nobody@example.com", "my other password"),
        ):
            await client.post("/v1/auth/login", json={"email": email, "password": password})
        out = await client.post("/v1/auth/logout", headers={"sec-fetch-site": "same-origin"})
    answer = await eve.client.get("/v1/audit")
    ended, unknown, wrong, good, *_ = answer.json()["items"]
    _, *chinese = (await eve.client.get("/v1/audit?page_size=3", headers={"accept-language": "zh"})).json()["items"]

    assert out.status_code == 204
    assert ended["detail"] == good["detail"]
    assert [
        (each["action"], each["actor"], each["actor_id"], each["subject"]) for each in (ended, unknown, wrong, good)
    ] == [
        ("login.ended", "eve@example.com", eve.id, "eve@example.com"),
        ("login.failed", "somebody", None, "nobody@example.com"),
        ("login.failed", "somebody", None, "eve@example.com"),
        ("login.succeeded", "eve@example.com", eve.id, "eve@example.com"),
    ]
    assert [unknown["detail"], wrong["detail"]] == [{"reason": "no such account"}, {"reason": "wrong password"}]
    assert "password" not in json.dumps([unknown, wrong, good]).replace("wrong password", "")
    assert [each["actor"] for each in chinese] == ["某人"] * 2
    assert [each["detail"] for each in chinese] == [{"reason": "没有此账户"}, {"reason": "密码不正确"}]


async def test_what_the_command_line_does_to_accounts_is_recorded(settings: Settings, bob: Person, eve: Person) -> None:
    stdin = PASSWORD + "\n"
    await belfry_command(settings, "user", "create", "new@example.com", "--password-stdin", stdin=stdin)
    await belfry_command(settings, "user", "role", "BOB@example.com", "sender")
    await belfry_command(settings, "user", "password", "bob@example.com", "--password-stdin", stdin=stdin)
    entries = (await eve.get("/v1/audit"))["items"][:3]

    assert {(each["actor"], each["actor_id"]) for each in entries} == {("the command line", None)}
    assert [(each["action"], each["subject"], each["detail"]) for each in entries] == [
        ("user.password_changed", "bob@example.com", {"ended": 1}),
        ("user.role_changed", "bob@example.com", {"before": "member", "role": "sender"}),
        ("user.created", "new@example.com", {"role": "member"}),
    ]


async def test_a_broadcast_is_recorded_with_it_and_stays_when_its_sender_goes(
    ada: Person, eve: Person, db: Database
) -> None:
    sent = await ada.broadcast()
    await ada.post("/v1/broadcasts", 422, title="")
    async with db.begin() as tx:
        await tx.execute(text("DELETE FROM users WHERE id = :id"), {"id": ada.id})
    [entry] = (await eve.get("/v1/audit", action="broadcast.sent"))["items"]

    assert (entry["actor"], entry["actor_id"], entry["subject"]) == (ada.email, None, f"notification {sent['id']}")
    assert entry["detail"] == {"by": "request", "title": "Maintenance tonight"}


async def test_the_audit_is_paged_and_for_admins(ada: Person, bob: Person, eve: Person) -> None:
    for n in range(3):
        await ada.broadcast(f"Number {n}")
    first = await eve.get("/v1/audit", action="broadcast.sent", page_size=2)
    second = await eve.get("/v1/audit", action="broadcast.sent", page_size=2, cursor=first["next_cursor"])

    assert [entry["detail"]["title"] for page in (first, second) for entry in page["items"]] == [
        "Number 2",
        "Number 1",
        "Number 0",
    ]
    assert second["next_cursor"] is None
    for person in (ada, bob):
        assert (await person.client.get("/v1/audit")).status_code == 403
