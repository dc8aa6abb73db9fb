"""`belfry broadcast` and `belfry schedule`, as real processes."""

import re

import pytest

from belfry.sending.bell import connect_queue
from belfry.settings import Settings
from db import Database
from tests.people import Person
from tests.processes import belfry_command
from tests.web.test_bad_input import row_counts

AS_ADA = ("--as", "ada@example.com")


async def test_a_broadcast_is_heard_at_once_and_its_key_prints_the_same_id(
    ada: Person, bob: Person, eve: Person, settings: Settings
) -> None:
    argv = ("broadcast", "--key", "nightly-2026-11-22", "--title", "Backup done", "--content", "-", "--tag", "ops")
    async with bob.stream() as events:
        first = await belfry_command(settings, *argv, *AS_ADA, stdin="All of it.\nTwice.\n")
        arrived = (await events.next("notification", within=2)).data
    again = await belfry_command(settings, *argv, *AS_ADA, stdin="All of it.\nTwice.\n")
    [entry] = (await eve.get("/v1/audit", action="broadcast.sent"))["items"]

    assert first == again == (0, f"{arrived['id']}\n", "")
    assert (arrived["content"], arrived["tags"], arrived["sender"]["id"]) == ("All of it.\nTwice.", ["ops"], ada.id)
    assert entry["detail"] == {"by": "command", "title": "Backup done", "key": "nightly-2026-11-22"}
    assert await bob.unread() == 1


async def test_one_with_e_mails_rings_the_workers(ada: Person, settings: Settings) -> None:
    code, printed, _ = await belfry_command(settings, "broadcast", "--title", "x", "--channel", "email", *AS_ADA)
    async with connect_queue(settings.redis_url) as queue:
        jobs = [(job.function, list(job.args)) for job in await queue.queued_jobs()]

    assert (code, jobs) == (0, [("expand", [int(printed)])])


async def test_redis_may_be_down(ada: Person, bob: Person, settings: Settings) -> None:
    code, printed, warning = await belfry_command(
        settings, "broadcast", "--title", "Redis is down", *AS_ADA, BELFRY_REDIS_URL="redis://127.0.0.1:1/0"
    )

    assert (code, [item["id"] for item in (await bob.inbox())["items"]]) == (0, [int(printed)])
    assert "streams read them from the database" in warning
    assert "Traceback" not in warning


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--title", "", *AS_ADA), "title: must not be empty"),
        (("--title", "x", "--link", "ftp://x", *AS_ADA), "link: expected an http:// or https:// address"),
        (("--title", "x", "--priority", "0", *AS_ADA), "priority: must be at least 1"),
        (("--title", "x", "--channel", "fax", *AS_ADA), "channels[0]: is not one of the values"),
        (("--title", "x", "--key", "a b", *AS_ADA), "key: expected visible ASCII characters without spaces"),
        (("--title", "x"), "sender: name a sender, or set a default one: BELFRY_BROADCAST_SENDER"),
        (("--title", "x", "--as", "nobody@example.com"), "sender: no user has this e-mail address"),
        (("--title", "x", "--as", "bob@example.com"), "sender: needs the role sender or admin; this one's is member"),
    ],
)
async def test_what_is_wrong_is_told_in_one_line_and_sends_nothing(
    ada: Person, bob: Person, settings: Settings, db: Database, options: tuple[str, ...], said: str
) -> None:
    before = await row_counts(db)
    code, output, errors = await belfry_command(settings, "broadcast", *options)

    assert (code, output) == (1, "")
    assert errors.startswith(said)
    assert errors.count("\n") == 1
    assert await row_counts(db) == before


async def test_a_key_with_another_text_is_refused(ada: Person, settings: Settings) -> None:
    await belfry_command(settings, "broadcast", "--key", "one", "--title", "One", *AS_ADA)
    refused = await belfry_command(settings, "broadcast", "--key", "one", "--title", "Two", *AS_ADA)

    assert refused == (1, "", "Idempotency-Key: this key was already used with another body\n")


async def test_a_database_that_is_away_is_told_in_one_line(settings: Settings) -> None:
    code, output, errors = await belfry_command(
        settings, *("broadcast", "--title", "x", *AS_ADA), BELFRY_DATABASE_URL="postgresql://nobody@127.0.0.1:1/none"
    )

    assert (code, output) == (1, "")
    assert errors.startswith("The database cannot be reached")


@pytest.mark.slow
async def test_a_schedule_is_added_listed_run_paused_resumed_and_removed(
    ada: Person, bob: Person, eve: Person, settings: Settings
) -> None:
    async def schedule(*argv: str) -> str:
        code, output, errors = await belfry_command(settings, "schedule", *argv, BELFRY_BROADCAST_SENDER=ada.email)
        assert (code, errors) == (0, "")
        return output

    plan = ("--zone", "Europe/Berlin", "--title", "{schedule} {count}", "--late", "skip", "--grace", "120")
    added = await schedule("add", "Nightly", "0 7 * * MON-FRI", *plan)
    listed = await schedule("list")
    [made] = (await ada.get("/v1/schedules"))["items"]
    async with bob.stream() as events:
        ran = await schedule("run", "Nightly")
        arrived = (await events.next("notification", within=2)).data
    paused = await schedule("pause", "Nightly")
    listed_paused = await schedule("list")
    resumed = await schedule("resume", "Nightly")
    removed = await schedule("remove", "Nightly")
    recorded = [entry for entry in (await eve.get("/v1/audit"))["items"] if entry["action"].startswith("schedule")]

    assert re.match(r"Made the schedule Nightly with the id 1. Next: \w{3} \d{4}-\d\d-\d\d 07:00 \+0[12]00, ", added)
    assert (made["late_policy"], made["grace_seconds"], made["owner"]["id"]) == ("skip", 120, ada.id)
    assert all(word in listed for word in ("Nightly", "0 7 * * MON-FRI", "Europe/Berlin", "everyone", ada.email))
    assert all(time[:10] in listed for time in made["next_runs"][:3])
    assert (ran, arrived["title"]) == ("Sent Nightly: 1 notifications.\n", "Nightly 1")
    assert paused == "Nightly is paused.\n"
    assert "paused" in listed_paused
    assert resumed.startswith("Nightly runs again. Next: ")
    assert removed == "Nightly is deleted.\n"
    assert (await ada.get("/v1/schedules"))["items"] == []
    assert [(entry["actor"], entry["action"]) for entry in recorded] == [
        ("the command line", f"schedule.{done}") for done in ("deleted", "changed", "changed", "run", "created")
    ]


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("add", "x", "* * *", "--title", "x", *AS_ADA), "cron: expected five fields"),
        (("add", "x", "@daily", "--title", "{x}", *AS_ADA), "title: has an unknown variable"),
        (("add", "x", "@daily", "--title", "x", "--zone", "Mars", *AS_ADA), "time_zone: expected the name of an IANA"),
        (("add", "x", "@daily", "--title", "x", "--to", "nobody@example.com", *AS_ADA), "audience[0]: no user has"),
        (("run", "Nothing"), "There is no schedule with the name Nothing."),
        (("remove", "Nothing"), "There is no schedule with the name Nothing."),
    ],
)
async def test_a_mistake_with_a_schedule_is_told_in_one_line(
    ada: Person, settings: Settings, argv: tuple[str, ...], said: str
) -> None:
    code, output, errors = await belfry_command(settings, "schedule", *argv)

    assert (code, output) == (1, "")
    assert errors.startswith(said)
    assert errors.count("\n") == 1
