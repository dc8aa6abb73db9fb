"""Opening, resuming and refusing streams, over our own protocol and over one that knows nothing of streams."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import msgspec
import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from belfry.settings import Settings
from db import Database
from tests.people import Person
from tests.realtime import unannounced
from tests.realtime.raw import connected, eventually, raw_stream, request
from tests.rows import waits_for_a_lock
from tests.serving import Serving, serving


@pytest.fixture(params=["ours", pytest.param("stock", marks=pytest.mark.slow)])
async def belfry(request: pytest.FixtureRequest, settings: Settings, db: Database) -> AsyncIterator[Serving]:
    quick = msgspec.structs.replace(settings, position_check_seconds=0.5, heartbeat_seconds=0.5, replay_limit=30)
    async with serving(quick, stock=request.param == "stock") as running:
        yield running


async def nobody(belfry: Serving) -> None:
    await eventually(lambda: belfry.given.live.hub.open == 0)
    assert belfry.given.live.hub.users == {}


async def test_a_stream_begins_with_a_comment_the_retry_and_its_position(belfry: Serving, bob: Person) -> None:
    await bob.send()
    async with raw_stream(bob) as raw:
        await raw.until(lambda received: b"event: open" in received)
        assert raw.head.startswith(b"http/1.1 200 ok")
        for header in (b"content-type: text/event-stream; charset=utf-8", b"cache-control: no-store"):
            assert header in raw.head
        assert b"x-accel-buffering: no" in raw.head
        assert b"content-encoding" not in raw.head
        assert raw.body.startswith(b":\n\nretry: 2000\nid: 1.0\nevent: open\n")
        assert [event.data for event in raw.events] == [{"resumed": False, "replayed": 0, "unread": 1}]
        await raw.until(lambda received: received.count(b":\n\n") >= 3)
    await nobody(belfry)


async def test_a_stream_resumes_after_the_last_event_id(ada: Person, bob: Person) -> None:
    first = await ada.send(to=bob.id)
    async with bob.stream() as events:
        last_id = (await events.next("open")).id
    second, third = [await ada.send(to=bob.id, title=title) for title in ("second", "third")]
    everyone = await ada.broadcast()
    await bob.mark("read", ids=[first["id"], everyone["id"]])
    await bob.mark("delete", ids=[second["id"]])
    async with bob.stream(last_id) as events:
        await events.until("5.1")
    assert [(e.name, e.data.get("id", e.data.get("ids"))) for e in events.seen[1:-1]] == [
        ("notification", third["id"]),
        ("notification", first["id"]),
        ("state", [everyone["id"]]),
        ("state", [second["id"]]),
        ("notification", everyone["id"]),
    ]
    assert events.seen[0].data == {"resumed": True, "replayed": 5, "unread": 1}
    assert [e.id for e in events.seen if e.carries_id] == ["1.0", "3.0", "4.0", "5.0", "5.1"]
    assert events.seen[-1].data == {"count": 1, "total": True}


async def test_what_is_missed_and_what_comes_meanwhile_come_once_and_in_order(ada: Person, bob: Person) -> None:
    for _ in range(20):
        await ada.send(to=bob.id)
    sending = asyncio.gather(*[ada.send(to=bob.id) for _ in range(10)])
    async with bob.stream("0.0") as events:
        await events.until("30.0")
    await sending
    ids = [e.data["id"] for e in events.seen if e.name == "notification"]
    assert len(ids) == 30
    assert ids == sorted(set(ids))


async def test_what_commits_late_is_not_stepped_over(ada: Person, bob: Person, db: Database) -> None:
    async with db.begin() as tx:
        await unannounced.sent_in(tx, ada, bob, "late")
        await ada.broadcast("in between")
        async with bob.stream("0.0") as events:
            await events.until("0.1")
            sending = asyncio.create_task(ada.send("after", to=bob.id))  # waits for the number that is taken
            await waits_for_a_lock(db)
    await sending
    async with bob.stream(events.last_id) as events:
        await events.until("2.1")
    assert [e.data["title"] for e in events.seen if e.name == "notification"] == ["late", "after"]


CANNOT_BE_RESUMED = {
    "garbage": "unknown position",
    "-1.0": "unknown position",
    "1": "unknown position",
    "1.0;DROP": "unknown position",
    f"{10**30}.0": "unknown position",
    f"{2**63}.0": "unknown position",
    f"{2**63 - 1}.0": "position ahead of the server",
    "4.0": "position ahead of the server",  # another user's
    "1.7": "position ahead of the server",
}


async def test_a_cursor_that_cannot_be_resumed_is_a_reset(ada: Person, bob: Person) -> None:
    for _ in range(4):
        await ada.send()
    await bob.send()
    for last_id, reason in CANNOT_BE_RESUMED.items():
        async with bob.stream(last_id) as events:
            opened = await events.next()
            reset = await events.next()
        assert (opened.name, opened.id) == ("open", "1.0"), last_id
        assert opened.data == {"resumed": False, "replayed": 0, "unread": 1}, last_id
        assert (reset.name, reset.data) == ("reset", {"reason": reason, "unread": 1}), last_id


async def test_a_cursor_in_the_query_is_not_trusted_either(bob: Person) -> None:
    await bob.send()
    for cursor in ("1.0%0d%0aevent:%20forged", "%ff%fe", "1.0%0a", "%D9%A1.%D9%A0", "9" * 5_000):
        async with connected(str(bob.client.base_url)) as raw:
            await raw.send(request(bob, f"/v1/stream?last_event_id={cursor}"))
            await raw.until(lambda received: b"event: reset" in received)
            assert [event.name for event in raw.events][:2] == ["open", "reset"], cursor
            assert b"forged" not in raw.received
    assert (await bob.client.get("/v1/stream?poll=1&last_event_id=%00")).status_code == 422


HOSTILE = [b"\xff\xfe", b"1.0\xc2\xa0", b"1.0, 1.0", b"+1.0", b"1.0.0", b"0x1.0", b"1e3.0", b"1_0.0", b"." * 8_000]
BROKEN = [b"1.0\x00", b"1.0\revent: forged", b"1.0\nforged", b"1.0\r\n\r\nevent: forged"]


@pytest.mark.parametrize("last_id", HOSTILE + BROKEN)
async def test_whatever_the_header_says_it_brings_nothing_but_ones_own(
    belfry: Serving, ada: Person, bob: Person, last_id: bytes
) -> None:
    for _ in range(4):
        await ada.send("secret")
    await bob.send("own")
    head, _, _ = request(bob, "/v1/stream?poll=1").partition(b"\r\n\r\n")
    async with connected(belfry.url) as raw:
        await raw.send(head + b"\r\nConnection: close\r\nLast-Event-ID: " + last_id + b"\r\n\r\n")
        await raw.end()
    status = int(raw.head.split(b" ")[1])
    assert status in ((200,) if last_id in HOSTILE else (200, 400))
    assert b"secret" not in raw.received
    assert b"forged" not in raw.received
    if last_id in HOSTILE:
        assert [event.name for event in raw.events] == ["open", "reset"]
        assert raw.events[1].data == {"reason": "unknown position", "unread": 1}
    await nobody(belfry)


async def test_a_stream_that_was_reset_goes_on_live(bob: Person) -> None:
    async with bob.stream("garbage") as events:
        await events.next("reset")
        await bob.send(title="live")
        assert (await events.next("notification")).data["title"] == "live"
        await events.until("1.0")


async def test_the_cursor_of_the_header_wins(bob: Person) -> None:
    await bob.send()
    async with connected(str(bob.client.base_url)) as raw:
        await raw.send(request(bob, "/v1/stream?last_event_id=garbage", last_id="0.0"))
        await raw.until(lambda received: b"event: count" in received)
        assert raw.events[0].data == {"resumed": True, "replayed": 1, "unread": 1}


async def test_a_cursor_below_the_floor_is_too_old(bob: Person, db: Database) -> None:
    for _ in range(3):
        await bob.send()
    async with db.begin() as tx:
        await tx.execute(text("UPDATE inboxes SET floor = 2"))
    for last_id, name in (("1.0", "reset"), ("2.0", "notification"), ("0.0", "notification")):
        async with bob.stream(last_id) as events:
            await events.next("open")
            assert (await events.next()).name == name, last_id


async def test_more_missed_than_can_be_replayed_is_a_reset(ada: Person, bob: Person) -> None:
    for _ in range(31):
        await ada.send(to=bob.id)
    async with bob.stream("0.0") as events:
        reset = await events.next("reset")
    assert (reset.data, reset.id) == ({"reason": "too much was missed", "unread": 31}, "31.0")
    assert [event.name for event in events.seen] == ["open", "reset"]


async def test_what_one_tab_reads_all_tabs_show_as_read(bob: Person) -> None:
    sent = await bob.send()
    async with bob.stream() as one, bob.stream() as two, bob.stream() as three:
        await bob.mark("read", ids=[sent["id"]])
        for tab in (one, two, three):
            assert (await tab.next("state")).data == {"state": "read", "ids": [sent["id"]]}
            assert (await tab.next("count")).data == {"count": 0, "total": True}


async def test_the_cap_is_a_users_own_and_a_closed_stream_makes_room(belfry: Serving, ada: Person, bob: Person) -> None:
    hub = belfry.given.live.hub
    async with connected(belfry.url) as first:
        await first.send(request(bob, "/v1/stream"))
        await first.until(lambda received: b"event: open" in received)
        async with AsyncExitStack() as stack:
            tabs = [stack.enter_async_context(bob.client.stream("GET", "/v1/stream")) for _ in range(25)]
            answers = await asyncio.gather(*tabs)
            assert sorted(answer.status_code for answer in answers) == [200] * 19 + [429] * 6
            assert all(answer.headers["retry-after"] for answer in answers if answer.status_code == 429)
            async with ada.stream() as events:
                await events.next("open")
            await ada.send("for all tabs", to=bob.id)
            await first.until(lambda received: b"for all tabs" in received)
    await nobody(belfry)
    async with bob.stream():
        assert hub.open == 1


async def test_who_comes_while_the_process_stops_is_told_to_come_back(belfry: Serving, bob: Person) -> None:
    """EventSource gives up for good after any status but 200; a poll has no later to be told in."""
    belfry.given.live.hub.closing = True  # as a signal does, before the server has closed its listening socket
    async with raw_stream(bob) as raw:
        await raw.until(
            lambda received: b"event: reconnect" in received and received.endswith((b"\n\n", b"\r\n0\r\n\r\n"))
        )
    assert raw.head.startswith(b"http/1.1 200 ok")
    [event] = raw.events
    assert event.name == "reconnect"
    assert b"retry: %d\n" % event.data["after_ms"] in raw.body
    poll = await bob.client.get("/v1/stream?poll=1")
    assert (poll.status_code, poll.headers["retry-after"]) == (503, "1")
    await nobody(belfry)


async def test_what_is_no_request_for_a_stream_opens_none(belfry: Serving, bob: Person) -> None:
    for method, headers, status in (
        ("HEAD", {}, 405),
        ("POST", {}, 405),
        ("GET", {"accept": "text/html"}, 406),
        ("GET", {"accept": "application/json"}, 406),
        ("GET", {"authorization": "Bearer nonsense"}, 401),
    ):
        answer = await bob.client.request(method, "/v1/stream", headers=headers)
        assert answer.status_code == status, (method, headers)
        assert method == "HEAD" or answer.headers["content-type"] == "application/problem+json"
        assert belfry.given.live.hub.open == 0


async def test_a_client_gone_before_it_was_answered_leaves_nothing_behind(belfry: Serving, bob: Person) -> None:
    await belfry.hears()  # which is logged, too
    with capture_logs() as logged:
        async with connected(belfry.url) as raw:
            await raw.send(request(bob, "/v1/stream"))
        await bob.unread()  # asked after it, so that it has arrived
        await eventually(lambda: not belfry.server.server_state.tasks)
        await nobody(belfry)
    assert logged == []


async def test_requests_sent_ahead_of_the_answer_leave_nothing_behind(belfry: Serving, bob: Person) -> None:
    async with connected(belfry.url) as raw:
        await raw.send(request(bob, "/v1/stream") + request(bob, "/v1/me") + request(bob, "/v1/stream"))
        await raw.until(lambda received: b"event: open" in received)
        assert belfry.given.live.hub.open == 1
    await nobody(belfry)
    await eventually(lambda: not belfry.server.server_state.tasks)
