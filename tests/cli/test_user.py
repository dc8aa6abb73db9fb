"""`belfry user` and the help of every command, as real processes."""

import asyncio

import httpx
import pytest

from belfry.settings import Settings
from db import Database
from tests.people import PASSWORD, Person
from tests.processes import belfry_command
from tests.serving import Serving


async def can_log_in(belfry: Serving, email: str, password: str) -> bool:
    async with belfry.anonymous() as client:
        answer: httpx.Response = await client.post("/v1/auth/login", json={"email": email, "password": password})
    return answer.status_code == 200


async def test_an_account_is_made_listed_promoted_and_given_a_new_password(
    belfry: Serving, settings: Settings, bob: Person
) -> None:
    made = await belfry_command(
        settings,
        *("user", "create", "Grace@Example.com", "--name", "Grace Hopper", "--password-stdin"),
        stdin=PASSWORD + "\n",
    )
    promoted = await belfry_command(settings, "user", "role", "GRACE@example.com", "admin")
    changed = await belfry_command(settings, "user", "password", bob.email, "--password-stdin", stdin="new password\n")
    code, table, _ = await belfry_command(settings, "user", "list")

    assert made == (0, "Made Grace@example.com, member, with the id 2.\n", "")
    assert promoted == (0, "GRACE@example.com is now admin.\n", "")
    assert changed == (0, "The password is set, and all sessions have ended.\n", "")
    assert code == 0
    assert [row.split()[1:2] for row in table.splitlines() if "@" in row] == [["1"], ["2"]]
    assert all(word in table for word in ("Grace Hopper", "admin", bob.email, "member"))
    assert await can_log_in(belfry, "grace@example.com", PASSWORD)
    assert (await bob.client.get("/v1/me")).status_code == 401
    assert await can_log_in(belfry, bob.email, "new password")
    assert not await can_log_in(belfry, bob.email, PASSWORD)


@pytest.mark.parametrize(
    ("arguments", "stdin", "said"),
    [
        (("create", "bob@EXAMPLE.com"), PASSWORD, "There is an account with this e-mail address already."),
        (("create", "not an address"), PASSWORD, "email: expected an e-mail address"),
        (("create", "new@example.com"), "short", "A password has 8 to 256 characters; this one has 5."),
        (("create", "new@example.com", "--name", "a\nb"), PASSWORD, "name: expected one line of text"),
        (("password", "nobody@example.com"), PASSWORD, "There is no account with the address nobody@example.com."),
        (("role", "nobody@example.com", "admin"), "", "There is no account with the address nobody@example.com."),
    ],
)
async def test_a_mistake_is_told_in_one_line(
    settings: Settings, bob: Person, arguments: tuple[str, ...], stdin: str, said: str
) -> None:
    asking = () if arguments[0] == "role" else ("--password-stdin",)
    code, output, errors = await belfry_command(settings, "user", *arguments, *asking, stdin=stdin + "\n")

    assert (code, output) == (1, "")
    assert errors.startswith(said)
    assert errors.count("\n") == 1


async def test_a_database_that_is_away_is_told_in_one_line(settings: Settings, db: Database) -> None:
    code, _, errors = await belfry_command(
        settings, "user", "list", BELFRY_DATABASE_URL="postgresql://nobody:hidden@127.0.0.1:1/none"
    )

    assert code == 1
    assert "Traceback" not in errors
    assert "hidden" not in errors


async def test_every_command_explains_itself(settings: Settings) -> None:
    commands = ["up", "web", "worker", "migrate", "user", "trace", "queue", "mail-test", "broadcast", "schedule"]
    answers = await asyncio.gather(*(belfry_command(settings, command, "--help") for command in commands))
    code, _, errors = await belfry_command(settings, "user", "role", "a@example.com", "king")

    assert [code for code, _, _ in answers] == [0] * len(commands)
    assert all(f"belfry {command}" in output for command, (_, output, _) in zip(commands, answers, strict=True))
    assert code == 2
    assert "king" in errors
