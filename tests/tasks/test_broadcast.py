"""Broadcasts that a program of somebody else puts into the queue."""

import asyncio
import json
import os
import pickle
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from arq.connections import ArqRedis

from belfry.background import end
from belfry.sending.bell import BROADCAST, QUEUE, connect_queue
from belfry.settings import Settings
from db import Database
from tasks.context import Context, open_context
from tasks.worker import Worker, create_worker
from tests.people import Person
from tests.tasks.test_worker import working

DOCUMENTATION = Path(__file__).parents[2] / "docs" / "jobs.md"
ADA = "ada@example.com"
REQUEST = {"title": "Backup done", "sender": ADA}


@pytest.fixture
async def queue(redis_url: str) -> AsyncIterator[ArqRedis]:
    async with connect_queue(redis_url) as redis:
        yield redis


def without_cron(context: Context) -> Worker:
    worker = create_worker(context)
    worker.cron_jobs = []
    return worker


async def work_off(context: Context) -> None:
    """Run what is in the queue, and nothing more."""
    worker = without_cron(context)
    worker.burst = True
    await worker.async_run()
    await worker.pool.aclose()


async def refusals(eve: Person) -> list[Any]:
    return [
        each
        for each in (await eve.get("/v1/audit", page_size=100))["items"]
        if each["action"] in ("broadcast.refused", "job.discarded")
    ]


async def test_the_lines_of_the_documentation_broadcast(ada: Person, bob: Person, settings: Settings) -> None:
    [program] = re.findall(r"```python\n(.*?)```", DOCUMENTATION.read_text(), re.DOTALL)
    async with bob.stream() as events, working(settings):
        for _ in range(2):
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", program), env={**os.environ, "BELFRY_REDIS_URL": settings.redis_url}
            )
            async with asyncio.timeout(30):
                assert await process.wait() == 0
        await ada.broadcast("That is all")
        arrived = [(await events.next("notification")).data for _ in range(2)]

    assert {item["title"] for item in arrived} == {"Backup done", "That is all"}
    assert (arrived[0]["type"], arrived[0]["channels"], arrived[0]["sender"]["id"]) == ("broadcast", ["inbox"], ada.id)
    assert await bob.unread() == 2


async def test_arguments_may_be_named_and_the_sender_left_to_the_setting(
    ada: Person, bob: Person, eve: Person, settings: Settings, queue: ArqRedis
) -> None:
    settings = msgspec.structs.replace(settings, broadcast_sender="ADA@example.com")
    await queue.enqueue_job(BROADCAST, request={"title": "Named"}, key="one")
    await queue.enqueue_job(BROADCAST, {"title": "Named"}, "one")
    await queue.enqueue_job(BROADCAST, {"title": "Named"}, "two")
    async with open_context(settings) as context:
        await work_off(context)
    entries = (await eve.get("/v1/audit", action="broadcast.sent"))["items"]

    assert await bob.unread() == 2
    assert sorted(entry["detail"]["key"] for entry in entries) == ["one", "two"]
    assert {(entry["actor"], entry["detail"]["by"]) for entry in entries} == {(ADA, "job")}


WRONG: list[tuple[list[Any], str, str]] = [
    ([{**REQUEST, "title": ""}, "key"], "title", "must not be empty"),
    ([{**REQUEST, "title": "a\nb"}, "key"], "title", "expected one line of text that is not blank, without control"),
    ([{**REQUEST, "title": "a\0b"}, "key"], "title", "contains the character U+0000, which cannot be stored"),
    ([{**REQUEST, "link": "javascript:alert(1)"}, "key"], "link", "expected an http:// or https:// address"),
    ([{**REQUEST, "priority": "3"}, "key"], "priority", "expected a whole number, not text"),
    ([{**REQUEST, "secret": 1}, "key"], "secret", "this field is not known"),
    ([{"title": "No sender"}, "key"], "sender", "name a sender, or set a default one: BELFRY_BROADCAST_SENDER"),
    ([{**REQUEST, "sender": "nobody@example.com"}, "key"], "sender", "no user has this e-mail address"),
    (
        [{**REQUEST, "sender": "bob@example.com"}, "key"],
        "sender",
        "needs the role sender or admin; this one's is member",
    ),
    ([REQUEST], "key", "this field is required"),
    ([REQUEST, ""], "key", "must not be empty"),
    ([REQUEST, "a key"], "key", "expected visible ASCII characters without spaces"),
    ([REQUEST, 7], "key", "expected text, not a whole number"),
    (["Backup done", "key"], "request", "expected an object, not text"),
    ([], "request", "this field is required"),
    ([REQUEST, "key", "more"], "arguments", "expected request and key, and nothing more"),
    ([{"a" * 5_000: 1}, "key"], "a" * 200, "this field is not known"),
]


@pytest.mark.parametrize(
    ("arguments", "field", "said"), WRONG, ids=[f"{field}: {said[:20]}" for _, field, said in WRONG]
)
async def test_what_is_wrong_with_a_request_is_in_the_audit(
    ada: Person,
    bob: Person,
    eve: Person,
    context: Context,
    queue: ArqRedis,
    arguments: list[Any],
    field: str,
    said: str,
) -> None:
    job = await queue.enqueue_job(BROADCAST, *arguments)
    assert job is not None
    await work_off(context)
    [entry] = await refusals(eve)
    [error] = entry["detail"]["errors"]

    assert (entry["action"], entry["actor"], entry["subject"]) == (
        "broadcast.refused",
        "the queue",
        f"job {job.job_id}",
    )
    assert error["field"] == field
    assert error["message"].startswith(said)
    assert await bob.unread() == 0


async def test_a_key_with_another_request_is_refused(
    ada: Person, bob: Person, eve: Person, context: Context, queue: ArqRedis
) -> None:
    for title in ("One", "Two"):
        await queue.enqueue_job(BROADCAST, REQUEST | {"title": title}, "key")
        await work_off(context)
    [entry] = await refusals(eve)

    assert entry["detail"]["errors"][0]["message"] == "this key was already used with another body"
    assert await bob.unread() == 1


async def test_fifty_with_one_key_at_once_are_one_broadcast(
    ada: Person, bob: Person, context: Context, queue: ArqRedis
) -> None:
    await asyncio.gather(*(queue.enqueue_job(BROADCAST, REQUEST, "key") for _ in range(50)))
    await asyncio.gather(*(work_off(context) for _ in range(2)))

    assert await queue.zcard(QUEUE) == 0
    assert await bob.unread() == 1


async def test_forged_jobs_run_no_code_and_are_told_of_without_their_content(
    ada: Person,
    bob: Person,
    eve: Person,
    context: Context,
    queue: ArqRedis,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Forged:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.touch, (tmp_path / "it ran",)

    forged = [
        pickle.dumps({"t": None, "f": BROADCAST, "a": (Forged(), "hunter2"), "k": {}, "et": 1}),
        b"hunter2",
        json.dumps({"t": None, "f": "hunter2", "a": ["hunter2"], "k": {"hunter2": 1}, "et": 1}).encode(),
        json.dumps({"t": "hunter2", "f": BROADCAST, "a": [REQUEST, "hunter2"], "k": {}, "et": 1}).encode(),
    ]
    for n, raw in enumerate(forged):
        await queue.set(f"arq:job:forged{n}", raw)
        await queue.zadd(QUEUE, {f"forged{n}": 1})
    await queue.enqueue_job(BROADCAST, REQUEST | {"title": ["hunter2"]}, "hunter2")
    await work_off(context)
    entries = await refusals(eve)

    assert sorted(entry["action"] for entry in entries) == ["broadcast.refused", *["job.discarded"] * len(forged)]
    assert not (tmp_path / "it ran").exists()
    assert "hunter2" not in json.dumps(entries) + caplog.text
    assert await queue.zcard(QUEUE) == 0
    assert await bob.unread() == 0


async def test_a_job_waits_in_the_queue_while_postgresql_is_away(
    ada: Person, bob: Person, db: Database, settings: Settings, queue: ArqRedis
) -> None:
    await queue.enqueue_job(BROADCAST, REQUEST, "key")
    away = msgspec.structs.replace(settings, database_url="postgresql://nobody@127.0.0.1:1/none")
    async with open_context(away) as context:
        worker = without_cron(context)
        working_on = asyncio.create_task(worker.async_run())
        async with asyncio.timeout(10):
            while not worker.jobs_retried:  # noqa: ASYNC110  # arq has no event for it
                await asyncio.sleep(0.01)
        await end(working_on)
        await asyncio.gather(*worker.tasks.values(), return_exceptions=True)
        await worker.pool.aclose()
    [(_, score)] = await queue.zrange(QUEUE, 0, -1, withscores=True)
    await queue.zadd(QUEUE, dict.fromkeys(await queue.zrange(QUEUE, 0, -1), 1))  # it is later now
    async with open_context(settings) as context:
        await work_off(context)

    assert score > 1
    assert await bob.unread() == 1
