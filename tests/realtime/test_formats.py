"""One cursor, three formats, and asking for less."""

import asyncio
import json
import os
import re
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from belfry.realtime.frames import Alerted, Event
from tests.people import Person
from tests.realtime import unannounced
from tests.serving import Serving


@asynccontextmanager
async def lines(person: Person, accept: str | None = None, **query: str) -> AsyncIterator[AsyncIterator[str]]:
    """The lines of an open stream, without the empty ones that are signs of life."""
    headers = {} if accept is None else {"accept": accept}
    async with person.client.stream("GET", "/v1/stream", params=query, headers=headers, timeout=5) as answer:
        assert answer.status_code == 200
        yield (line async for line in answer.aiter_lines() if line)


async def test_json_lines_carry_event_id_and_data(ada: Person, bob: Person) -> None:
    async with lines(bob, format="ndjson") as events:
        opened = json.loads(await anext(events))
        await ada.send("Personal", to=bob.id)
        personal = [json.loads(await anext(events)) for _ in range(2)]
        await ada.broadcast("Broadcast")
        broadcast = [json.loads(await anext(events)) for _ in range(2)]

    assert opened == {"event": "open", "id": "0.0", "data": {"resumed": False, "replayed": 0, "unread": 0}}
    assert [(event["event"], event["id"]) for event in personal] == [("notification", None), ("count", "1.0")]
    assert personal[0]["data"]["title"] == "Personal"
    assert [(event["event"], event["id"]) for event in broadcast] == [("notification", None), ("count", "1.1")]
    assert broadcast[1]["data"] == {"count": 1, "total": False}


async def test_text_is_one_readable_line_an_event(ada: Person, bob: Person) -> None:
    async with lines(bob, accept="text/plain") as events:
        assert await anext(events) == "connected, 0 missed, 0 unread"
        sent = await ada.send("Build passed", to=bob.id, content="All\ngreen.\x85[2J", link="https://ci.example.com/7")
        assert await anext(events) == "Build passed - All green. [2J - https://ci.example.com/7"
        assert await anext(events) == "1 unread"
        await bob.mark("read", through=sent["id"])
        assert await anext(events) == f"read: {sent['id']} and all below"
        assert await anext(events) == "0 unread"


@pytest.mark.parametrize("to_all", [True, False])
async def test_text_gets_past_what_it_does_not_know(
    belfry: Serving, ada: Person, bob: Person, redis_url: str, to_all: bool
) -> None:
    async with lines(bob, format="text") as events:
        assert await anext(events) == "connected, 0 missed, 0 unread"
        user_id = None if to_all else bob.id
        for event in (
            Event("from-tomorrow", b'{"new":1}'),
            Event("count", b"[1]"),
            Event("desktop", b"not JSON"),
            Event("progress", b'"\xff"'),
        ):
            await unannounced.announce(redis_url, Alerted(user_id, event))
        assert [await anext(events) for _ in range(4)] == ["from-tomorrow", "one more unread", "desktop", "progress"]
        await ada.broadcast("Broadcast")
        assert await anext(events) == "Broadcast"


async def test_the_wanted_types_come_and_the_last_of_a_number_carries_the_id(ada: Person, bob: Person) -> None:
    async with lines(bob, format="ndjson", types="notification,desktop") as events:
        assert json.loads(await anext(events))["event"] == "open"
        await ada.send("First", to=bob.id, channels=["inbox", "desktop"])
        await ada.broadcast("Second")
        came = [json.loads(await anext(events)) for _ in range(3)]

    assert [(event["event"], event["id"]) for event in came] == [
        ("notification", None),
        ("desktop", "1.0"),
        ("notification", "1.1"),
    ]


async def test_a_poll_returns_what_there_is_and_ends(ada: Person, bob: Person) -> None:
    first = await bob.client.get("/v1/stream", params={"poll": "1", "format": "ndjson"})
    await ada.send("Personal", to=bob.id)
    await ada.broadcast("Broadcast")
    again = await bob.client.get(
        "/v1/stream", params={"poll": "1", "format": "ndjson", "last_event_id": json.loads(first.text)["id"]}
    )
    nothing = await bob.client.get("/v1/stream", params={"poll": "1"}, headers={"last-event-id": "1.1"})

    assert json.loads(first.text)["event"] == "open"
    came = [json.loads(line) for line in again.text.splitlines()]
    assert [(event["event"], event["id"]) for event in came] == [
        ("open", "0.0"),
        ("notification", "1.0"),
        ("notification", None),
        ("count", "1.1"),
    ]
    assert re.findall("^event: (.*)$", nothing.text, re.MULTILINE) == ["open"]


@pytest.mark.parametrize(
    ("query", "accept", "status", "field"),
    [
        ({"format": "xml"}, None, 422, "format"),
        ({"types": "count,nonsense"}, None, 422, "types"),
        ({"types": ""}, None, 422, "types"),
        ({"poll": "yes"}, None, 422, "poll"),
        ({}, "text/html", 406, None),
        ({}, "application/json", 406, None),
    ],
)
async def test_what_is_not_known_is_refused(
    bob: Person, query: dict[str, str], accept: str | None, status: int, field: str | None
) -> None:
    headers = {} if accept is None else {"accept": accept}
    answer = await bob.client.get("/v1/stream", params=query, headers=headers)

    assert answer.status_code == status
    assert [error["field"] for error in answer.json()["errors"]] == ([] if field is None else [field])


async def test_curl_and_a_shell_loop_read_it(belfry: Serving, ada: Person, bob: Person) -> None:
    curl = shutil.which("curl")
    assert curl is not None, "curl is needed to try curl"
    url = f"{belfry.url}/v1/stream?format=text&types=notification"
    script = f'while read -r line; do echo "got: $line"; done < <(exec {curl} -sN \'{url}\' -H "Authorization: $TOKEN")'
    shell = await asyncio.create_subprocess_exec(
        "bash",
        "-c",
        script,
        env={"TOKEN": bob.client.headers["authorization"]},
        stdout=asyncio.subprocess.PIPE,
        process_group=0,
    )
    assert shell.stdout is not None
    try:
        async with asyncio.timeout(10):
            opened = await shell.stdout.readline()
            await ada.send("Build passed", to=bob.id)
            arrived = await shell.stdout.readline()
    finally:
        os.killpg(shell.pid, signal.SIGTERM)
        await shell.wait()

    assert opened == b"got: connected, 0 missed, 0 unread\n"
    assert arrived == b"got: Build passed\n"
