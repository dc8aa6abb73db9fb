"""What admins do with accounts, and what senders see of them."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import msgspec
import pytest
from sqlalchemy import text

from belfry.settings import Settings
from db import Database
from db.queries import directory
from tests.mailing import Mailboxes
from tests.people import PASSWORD, Person
from tests.processes import belfry_command
from tests.rows import users
from tests.serving import Serving, serving


async def test_admins_find_everybody_and_senders_whom_they_can_write_to(
    belfry: Serving, ada: Person, bob: Person, eve: Person, db: Database
) -> None:
    made = await users(db, 12)
    async with db.begin() as tx:
        await tx.execute(
            text("UPDATE users SET disabled_at = now(), display_name = '100%_\\' WHERE id = :id"), {"id": made[3]}
        )
    first = await eve.get("/v1/users", page_size=8)
    second = await eve.get("/v1/users", page_size=8, cursor=first["next_cursor"])
    by_name = await ada.get("/v1/users", q="LOVE")
    disabled = await eve.get("/v1/users", state="disabled")
    found = {
        q: len((await eve.get("/v1/users", q=q, page_size=100))["items"]) for q in ("%", "_", "\\", "0%_", "user1")
    }
    hers = await ada.get("/v1/users", page_size=100)
    one = await eve.get(f"/v1/users/{ada.id}")

    assert [each["id"] for each in first["items"] + second["items"]] == sorted(
        [*made, ada.id, bob.id, eve.id], reverse=True
    )
    assert second["next_cursor"] is None
    assert by_name["items"] == [{"id": ada.id, "email": ada.email, "display_name": "Ada Lovelace"}]
    assert [each["id"] for each in disabled["items"]] == [made[3]]
    assert found == {"%": 1, "_": 1, "\\": 1, "0%_": 1, "user1": 4}
    assert made[3] not in [each["id"] for each in hers["items"]]
    assert {frozenset(each) for each in hers["items"]} == {frozenset(["id", "email", "display_name"])}
    assert (one["role"], one["disabled_at"]) == ("sender", None)
    assert one["last_seen_at"] >= one["created_at"]
    assert (await bob.client.get("/v1/users")).status_code == 403


async def test_disabling_ends_everything_and_enabling_lets_in_again(belfry: Serving, bob: Person, eve: Person) -> None:
    async with AsyncExitStack() as stack:
        ada = await stack.enter_async_context(belfry.person("ada@example.com", role="admin"))
        key = (await ada.post("/v1/api-keys", 201, name="site", scopes=["act-as", "stream", "read"]))["key"]
        program = await stack.enter_async_context(belfry.bearer(key, ada))
        token = (await program.post(f"/v1/users/{bob.id}/token", 201))["access_token"]
        page = await stack.enter_async_context(belfry.bearer(token, bob))
        streams = [await stack.enter_async_context(each.stream()) for each in (ada, program, page)]
        other = await stack.enter_async_context(bob.stream())
        changed = await eve.client.patch(f"/v1/users/{ada.id}", json={"disabled": True})
        await asyncio.wait_for(asyncio.gather(*(each.ended.wait() for each in streams)), 5)
        await eve.send(to=bob.id)
        await other.next("notification")
        statuses = [(await each.client.get("/v1/me")).status_code for each in (ada, program, page)]
        enabled = await eve.client.patch(f"/v1/users/{ada.id}", json={"disabled": False, "role": "admin"})
        back = [(await each.client.get("/v1/me")).status_code for each in (ada, program)]
        async with belfry.login(ada.email, ada.id):
            pass
    actions = [
        each["action"] for each in (await eve.get("/v1/audit", page_size=20))["items"] if each["subject"] == ada.email
    ]

    assert (changed.status_code, changed.json()["disabled_at"] is not None) == (200, True)
    assert statuses == [401, 401, 401]
    assert enabled.json()["disabled_at"] is None
    assert back == [401, 200]  # the key holds again, the login does not
    assert [each for each in actions if each.startswith("user.")] == ["user.enabled", "user.disabled"]


async def test_a_stream_ends_within_a_position_check_when_nobody_was_told(settings: Settings, db: Database) -> None:
    looking = msgspec.structs.replace(settings, position_check_seconds=0.5)
    async with serving(looking) as belfry, belfry.person("bob@example.com") as bob, bob.stream() as events:
        told = await belfry_command(settings, "user", "disable", bob.email)
        await asyncio.wait_for(events.ended.wait(), 3)

    assert told == (0, "bob@example.com is disabled.\n", "")


async def test_an_admin_logs_somebody_out_everywhere(belfry: Serving, bob: Person, eve: Person) -> None:
    async with bob.stream() as events:
        assert (await eve.client.delete(f"/v1/users/{bob.id}/sessions")).status_code == 204
        await asyncio.wait_for(events.ended.wait(), 5)
    [entry] = (await eve.get("/v1/audit", action="sessions.ended"))["items"]

    assert (await bob.client.get("/v1/me")).status_code == 401
    assert (entry["actor_id"], entry["subject"], entry["detail"]) == (eve.id, bob.email, {"ended": 1})


async def test_the_last_admin_stays_one(belfry: Serving, eve: Person) -> None:
    changes = [{"role": "member"}, {"disabled": True}, {"role": "sender", "disabled": True}]
    answers = [await eve.client.patch(f"/v1/users/{eve.id}", json=change) for change in changes]
    harmless = await eve.client.patch(f"/v1/users/{eve.id}", json={"role": "admin", "disabled": False})
    gone = await eve.client.post("/v1/me/delete", json={"password": PASSWORD})

    assert [answer.status_code for answer in (*answers, gone)] == [409] * 4
    assert harmless.status_code == 200
    assert (await eve.get("/v1/me"))["role"] == "admin"


LEAVE = "leave"
WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")


@pytest.mark.parametrize(
    ("eves", "mallorys", "statuses"),
    [
        (("mallory", {"role": "member"}), ("eve", {"disabled": True}), [200, 403]),
        (("eve", {"role": "sender"}), ("mallory", {"role": "member"}), [200, 409]),
        (("eve", {"disabled": True}), ("mallory", LEAVE), [200, 409]),
        (("eve", LEAVE), ("mallory", LEAVE), [204, 409]),
    ],
)
async def test_of_two_admins_who_stop_being_one_at_once_one_is_left(
    belfry: Serving,
    eve: Person,
    db: Database,
    eves: tuple[str, Any],
    mallorys: tuple[str, Any],
    statuses: list[int],
) -> None:
    async def act(person: Person, whom: Person, what: Any) -> int:
        if what == LEAVE:
            return (await person.client.post("/v1/me/delete", json={"password": PASSWORD})).status_code
        return (await person.client.patch(f"/v1/users/{whom.id}", json=what)).status_code

    async with belfry.person("mallory@example.com", role="admin") as mallory:
        named = {"eve": eve, "mallory": mallory}
        async with db.begin() as tx:
            assert await directory.admins(tx) == {eve.id, mallory.id}
            acting = [asyncio.create_task(act(eve, named[eves[0]], eves[1]))]
            acting.append(asyncio.create_task(act(mallory, named[mallorys[0]], mallorys[1])))
            async with asyncio.timeout(10), db.statement() as look:
                while await look.scalar(WAITING) < 2:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)  # PostgreSQL has no event for it
        answers = await asyncio.gather(*acting)
    async with db.begin() as tx:
        left = await directory.admins(tx)

    assert sorted(answers) in (statuses, [204, 409])
    assert len(left) == 1


async def test_the_command_line_invites_disables_and_vouches_and_keeps_an_admin(
    belfry: Serving, settings: Settings, mailboxes: Mailboxes, bob: Person, eve: Person, db: Database
) -> None:
    async with db.begin() as tx:
        await tx.execute(text("UPDATE users SET email_verified_at = NULL WHERE id = :id"), {"id": bob.id})
    commands = [
        ("invite", "grace@example.com", "--role", "sender", "--language", "zh-Hans"),
        ("verify", bob.email),
        ("role", eve.email, "member"),
    ]
    told = await asyncio.gather(*(belfry_command(settings, "user", *command) for command in commands))
    token = await mailboxes.token("grace@example.com", "invite")
    async with belfry.anonymous() as client:
        made = await client.post("/v1/auth/invitation", json={"token": token, "password": PASSWORD})

    assert told[0][0] == 0
    assert told[0][1].startswith("Invited grace@example.com, sender. The link works until ")
    assert told[1] == (0, "bob@example.com is verified.\n", "")
    assert told[2] == (1, "", "This is the last admin. Make somebody else an admin first.\n")
    assert (made.json()["role"], made.json()["language"]) == ("sender", "zh-Hans")
    assert (await bob.get("/v1/me"))["email_verified"] is True
