"""Clients that others wrote: what they make of a stream, through a proxy too, and how they come back."""

import asyncio
import http.client
import json
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import msgspec
import pytest
from httpx_sse import ServerSentEvent, aconnect_sse

from belfry.settings import Settings
from db import Database
from tests.people import Person
from tests.processes import web
from tests.realtime import chromium, proxy
from tests.realtime.raw import eventually, raw_stream
from tests.serving import Serving, serving

BEAT = 0.5


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Nothing here is repaired by the position check."""
    return msgspec.structs.replace(settings, heartbeat_seconds=BEAT, position_check_seconds=3_600.0)


async def test_httpx_sse_is_told_when_and_from_where_to_come_back(
    settings: Settings, belfry: Serving, ada: Person, bob: Person
) -> None:
    async with serving(settings) as closing:
        before = await _until_the_end(closing, bob, last_id=None)
    await ada.send(to=bob.id, title="missed")
    after = await _until_the_end(belfry, bob, last_id=before[-1].id)

    assert [(sse.event, sse.id, sse.retry) for sse in before[:-1]] == [("open", "0.0", 2_000)]
    goodbye = before[-1]
    assert (goodbye.event, goodbye.id) == ("reconnect", "0.0")
    assert goodbye.retry == goodbye.json()["after_ms"]
    assert [(sse.event, sse.id) for sse in after[:3]] == [("open", "0.0"), ("notification", "0.0"), ("count", "1.0")]
    assert after[0].json() == {"resumed": True, "replayed": 1, "unread": 1}


async def _until_the_end(service: Serving, person: Person, last_id: str | None) -> list[ServerSentEvent]:
    """What a stream says, from its first event on, until the server, told to by the first `open`, says goodbye."""
    said = []
    headers = {**person.client.headers, **({} if last_id is None else {"last-event-id": last_id})}
    async with (
        httpx.AsyncClient(base_url=service.url, headers=headers) as client,
        aconnect_sse(client, "GET", "/v1/stream") as source,
    ):
        async for sse in source.aiter_sse():
            if sse.data:
                said.append(sse)
            if sse.event == ("open" if last_id is None else "count"):
                service.given.live.hub.close()
    return said


async def test_pythons_own_client_reads_line_by_line(belfry: Serving, ada: Person, bob: Person) -> None:
    opened, loop = asyncio.Event(), asyncio.get_running_loop()

    def read() -> dict[str, Any]:
        connection = http.client.HTTPConnection(httpx.URL(belfry.url).netloc.decode(), timeout=20)
        connection.request("GET", "/v1/stream", headers={"Authorization": bob.client.headers["authorization"]})
        answer = connection.getresponse()
        assert answer.getheader("Content-Type") == "text/event-stream; charset=utf-8"
        name, found = b"", None
        while found is None:
            field, _, value = answer.readline().strip().partition(b": ")
            if field == b"event":
                name = value
            elif field == b"data" and name == b"open":
                loop.call_soon_threadsafe(opened.set)
            elif field == b"data" and name == b"notification":
                found = json.loads(value)
        answer.close()
        connection.close()
        assert isinstance(found, dict)
        return found

    reading = asyncio.create_task(asyncio.to_thread(read))
    await asyncio.wait_for(opened.wait(), 10)
    sent = await ada.send(to=bob.id)
    assert (await asyncio.wait_for(reading, 20))["id"] == sent["id"]
    await eventually(lambda: belfry.given.live.hub.open == 0)


@pytest.fixture(params=["1.0", "1.1"])
async def behind_nginx(request: pytest.FixtureRequest, belfry: Serving, bob: Person) -> AsyncIterator[Person]:
    """Bob, as he comes through a proxy."""
    version = [f"proxy_http_version {request.param}", 'proxy_set_header Connection ""']
    async with (
        proxy.nginx(belfry.url, *version) as url,
        httpx.AsyncClient(base_url=url, headers=bob.client.headers) as client,
    ):
        yield Person(client, bob.id, bob.email)


@proxy.needed
async def test_nginx_passes_events_on_as_they_come(ada: Person, behind_nginx: Person) -> None:
    async with behind_nginx.stream() as events:
        await events.next("open")
        for _ in range(3):
            sent = await ada.send(to=behind_nginx.id)
            assert (await events.next("notification", within=1)).data["id"] == sent["id"]


@proxy.needed
async def test_nginx_passes_heartbeats_on_and_a_client_that_leaves(belfry: Serving, behind_nginx: Person) -> None:
    async with raw_stream(behind_nginx) as raw:
        await raw.until(lambda received: b"event: open" in received)
        seen = raw.body.count(b":\n\n")
        await raw.until(lambda _: raw.body.count(b":\n\n") >= seen + 3, within=4 * BEAT + 5)
        assert belfry.given.live.hub.open == 1
    await eventually(lambda: belfry.given.live.hub.open == 0)


@chromium.needed
@pytest.mark.slow
async def test_a_browser_comes_back_by_itself_and_misses_nothing(
    settings: Settings, db: Database, belfry: Serving, ada: Person, bob: Person
) -> None:
    """`belfry` serves the same database while the process that the browser knows is away."""
    async with AsyncExitStack() as stack:
        process = await stack.enter_async_context(web(settings))
        page = await stack.enter_async_context(chromium.tab(process.url, bob.email))
        await page.listen()
        await page.event("open", "0.0")
        expected = [await ada.send(to=bob.id, title="live")]
        await page.event("count", "1.0")
        for time, how in enumerate([signal.SIGTERM, signal.SIGKILL], start=1):
            await process.end(how)
            expected.append(await ada.send(to=bob.id, title=f"while away: {how.name}"))
            await process.start()
            await page.event("count", f"{2 * time}.0")
            expected.append(await ada.send(to=bob.id, title=f"back after {how.name}"))
            await page.event("count", f"{2 * time + 1}.0")
        seen = await page.seen()
        assert await page.ready_state() == 1
    opened = [event for event in seen if event["name"] == "open"]
    assert [event["data"]["resumed"] for event in opened] == [False, True, True]
    assert [event["data"]["replayed"] for event in opened] == [0, 1, 1]
    titles = [event["data"]["title"] for event in seen if event["name"] == "notification"]
    assert titles == ["live", "while away: SIGTERM", "back after SIGTERM", "while away: SIGKILL", "back after SIGKILL"]
    assert [event["data"]["id"] for event in seen if event["name"] == "notification"] == [e["id"] for e in expected]
    assert [event["data"]["count"] for event in seen if event["name"] == "count"] == [1, 2, 3, 4, 5]
    assert [event["name"] for event in seen if event["name"] == "reconnect"] == ["reconnect"]
