"""Making, changing and running schedules by HTTP, and who may."""

from typing import Any

import pytest

from db import Database
from tests.people import Person
from tests.web.test_bad_input import row_counts

NIGHTLY: dict[str, Any] = {
    "name": "Nightly",
    "cron": "0 7 * * MON-FRI",
    "time_zone": "Europe/Berlin",
    "title": "Report {count}",
    "content": "Of {date}",
    "link": "https://ci.example.com",
    "priority": 2,
    "tags": ["ops"],
    "channels": ["inbox", "email"],
    "enabled": True,
    "late_policy": "skip",
    "grace_seconds": 600,
}


async def patch(person: Person, schedule_id: int, expect: int = 200, **changes: Any) -> Any:
    answer = await person.client.patch(f"/v1/schedules/{schedule_id}", json=changes)
    assert answer.status_code == expect, answer.text
    return answer.json()


async def test_a_schedule_is_made_listed_changed_and_deleted(ada: Person, eve: Person) -> None:
    made = await ada.post("/v1/schedules", 201, **NIGHTLY)
    path = f"/v1/schedules/{made['id']}"
    changed = await patch(ada, made["id"], name="Morning", link=None, audience=["eve@example.com"], cron="@daily")
    page = await eve.get("/v1/schedules")
    deleted = await ada.client.delete(path)

    assert {name: made[name] for name in NIGHTLY} == NIGHTLY
    assert (made["audience"], made["sent"], made["owner"]) == ("everyone", 0, {"id": ada.id, "name": "Ada Lovelace"})
    assert len(made["next_runs"]) == len(set(made["next_runs"])) == 5
    assert all("T07:00:00+0" in time for time in made["next_runs"])
    assert changed == made | {
        "name": "Morning",
        "link": None,
        "audience": [eve.id],
        "cron": "@daily",
        "next_runs": changed["next_runs"],
        "updated_at": changed["updated_at"],
    }
    assert all("T00:00:00+0" in time for time in changed["next_runs"])
    assert page["items"] == [changed]
    assert deleted.status_code == 204
    assert (await ada.client.get(path)).status_code == 404
    assert [entry["action"] for entry in (await eve.get("/v1/audit"))["items"]][:3] == [
        "schedule.deleted",
        "schedule.changed",
        "schedule.created",
    ]


async def test_what_is_left_out_is_for_everyone_in_the_inbox_by_utc(ada: Person) -> None:
    made = await ada.post("/v1/schedules", 201, name="Nightly", cron="@daily", title="Hello")

    assert (made["time_zone"], made["audience"], made["channels"], made["late_policy"], made["grace_seconds"]) == (
        "UTC",
        "everyone",
        ["inbox"],
        "send",
        3_600,
    )


async def test_a_name_is_taken_once(ada: Person, eve: Person, db: Database) -> None:
    await ada.post("/v1/schedules", 201, **NIGHTLY)
    other = await ada.post("/v1/schedules", 201, **NIGHTLY | {"name": "Other"})
    before = await row_counts(db)
    refused = await eve.post("/v1/schedules", 409, **NIGHTLY)
    await patch(ada, other["id"], 409, name="Nightly")
    await patch(ada, other["id"], name="Other", priority=5)

    assert refused["detail"] == "There is a schedule with the name 'Nightly' already."
    assert await row_counts(db) == before | {"audit": before["audit"] + 1}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"cron": "0 0 31 2 *"}, "cron"),
        ({"cron": "61 * * * *"}, "cron"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"audience": ["nobody@example.com"]}, "audience[0]"),
        ({"title": "{nothing}"}, "title"),
        ({"title": "{schedule}" * 20, "name": "x" * 90}, "title"),
        ({"name": None}, "name"),
        ({"owner": 1}, "owner"),
    ],
)
async def test_a_change_that_cannot_be_changes_nothing(
    ada: Person, db: Database, change: dict[str, Any], field: str
) -> None:
    made = await ada.post("/v1/schedules", 201, **NIGHTLY)
    before = await row_counts(db)
    refused = await patch(ada, made["id"], 422, **change)

    assert field in [error["field"] for error in refused["errors"]]
    assert await ada.get(f"/v1/schedules/{made['id']}") == made
    assert await row_counts(db) == before


async def test_senders_see_all_and_change_their_own_admins_change_all_members_nothing(
    ada: Person, bob: Person, eve: Person
) -> None:
    adas = await ada.post("/v1/schedules", 201, **NIGHTLY)
    eves = await eve.post("/v1/schedules", 201, **NIGHTLY | {"name": "Eve's"})
    for schedule in (adas, eves):
        path = f"/v1/schedules/{schedule['id']}"
        for method, where in (
            ("GET", path),
            ("GET", f"{path}/runs"),
            ("PATCH", path),
            ("DELETE", path),
            ("POST", f"{path}/run"),
        ):
            answer = await bob.client.request(method, where, json={} if method == "PATCH" else None)
            assert (answer.status_code, method) == (403, method)
    assert (await bob.client.post("/v1/schedules", json=NIGHTLY)).status_code == 403
    assert (await bob.client.get("/v1/schedules")).status_code == 403

    assert await ada.get(f"/v1/schedules/{eves['id']}") == eves
    await patch(ada, eves["id"], 404, enabled=False)
    assert (await ada.client.post(f"/v1/schedules/{eves['id']}/run")).status_code == 404
    assert (await ada.client.delete(f"/v1/schedules/{eves['id']}")).status_code == 404
    assert (await patch(eve, adas["id"], enabled=False))["owner"]["id"] == ada.id
    assert (await eve.client.delete(f"/v1/schedules/{adas['id']}")).status_code == 204


async def test_a_run_now_is_sent_as_its_owner_and_has_a_row_of_its_own(ada: Person, bob: Person, eve: Person) -> None:
    made = await ada.post("/v1/schedules", 201, **NIGHTLY | {"enabled": False, "channels": ["inbox"]})
    path = f"/v1/schedules/{made['id']}"
    async with bob.stream() as events:
        runs = [await person.post(f"{path}/run", 202) for person in (eve, ada)]
        arrived = [(await events.next("notification")).data for _ in runs]
    ledger = await ada.get(f"{path}/runs")
    first = await ada.get(f"{path}/runs", page_size=1)
    second = await ada.get(f"{path}/runs", page_size=1, cursor=first["next_cursor"])
    recorded = (await eve.get("/v1/audit", action="schedule.run"))["items"]

    assert [item["title"] for item in arrived] == ["Report 1", "Report 2"]
    assert {item["sender"]["id"] for item in arrived} == {ada.id}
    assert [run["notification_ids"] for run in runs] == [[item["id"]] for item in arrived]
    assert {(run["outcome"], run["manual"]) for run in runs} == {("sent", True)}
    assert ledger == {"items": runs[::-1], "next_cursor": None}
    assert (first["items"], second["items"]) == ([runs[1]], [runs[0]])
    assert [entry["actor"] for entry in recorded] == ["ada@example.com", "eve@example.com"]


async def test_a_run_with_a_key_is_run_once(ada: Person, bob: Person) -> None:
    made = await ada.post("/v1/schedules", 201, **NIGHTLY)
    key = {"idempotency-key": "again"}
    first, second = [
        await ada.client.post(f"/v1/schedules/{made['id']}/run", headers=key, content=b"") for _ in range(2)
    ]

    assert first.status_code == second.status_code == 202
    assert first.json() == second.json()
    assert await bob.unread() == 1
