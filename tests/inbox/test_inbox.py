"""What a user finds in the inbox, page by page, while others write to it."""

import asyncio
from typing import Any

import msgspec
import pytest
from redis.asyncio import Redis
from sqlalchemy import text

from belfry.settings import Settings
from db import Database
from tests.people import Person
from tests.serving import serving

INBOX_ONLY: dict[str, Any] = {"channels": ["inbox"]}


async def ids(person: Person, **query: Any) -> list[int]:
    return [item["id"] for item in (await person.inbox(**query))["items"]]


async def arrivals(ada: Person, bob: Person, count: int) -> list[int]:
    """Ids of personal notifications and broadcasts in turn, newest first."""
    sent = [await (ada.broadcast() if index % 2 else ada.send(to=bob.id, **INBOX_ONLY)) for index in range(count)]
    return [each["id"] for each in reversed(sent)]


async def test_the_list_has_personal_items_and_broadcasts_together_newest_first(ada: Person, bob: Person) -> None:
    newest_first = await arrivals(ada, bob, 6)
    read, unread = newest_first[:2], newest_first[2:]
    await bob.mark("read", ids=read)

    assert await ids(bob) == newest_first
    assert await ids(bob, type="broadcast") == newest_first[0::2]
    assert await ids(bob, type="personal") == newest_first[1::2]
    assert await ids(bob, state="read") == read
    assert await ids(bob, state="unread") == unread
    assert await ids(bob, type="broadcast", state="unread") == unread[0::2]
    assert (await bob.inbox(type="personal", state="read"))["unread"] == await bob.unread() == 4


async def test_pages_by_number_and_by_cursor_divide_the_list(ada: Person, bob: Person) -> None:
    newest_first = await arrivals(ada, bob, 7)
    by_number = [await ids(bob, page=page, page_size=3) for page in (1, 2, 3, 4)]
    by_cursor, cursor = [], None
    while True:
        page = await bob.inbox(page_size=3, **({"cursor": cursor} if cursor else {}))
        by_cursor.append([item["id"] for item in page["items"]])
        if (cursor := page["next_cursor"]) is None:
            break

    assert by_number == [newest_first[0:3], newest_first[3:6], newest_first[6:], []]
    assert by_cursor == by_number[:3]


async def test_the_pages_of_a_cursor_stand_still_while_items_come_and_go(ada: Person, bob: Person) -> None:
    newest_first = await arrivals(ada, bob, 8)
    first = await bob.inbox(page_size=3)
    await arrivals(ada, bob, 4)
    await bob.mark("delete", ids=[newest_first[2], newest_first[4]])
    rest = await ids(bob, cursor=first["next_cursor"])

    assert rest == [newest_first[3], *newest_first[5:]]


async def test_every_user_has_a_state_of_ones_own_for_a_broadcast(ada: Person, bob: Person, eve: Person) -> None:
    sent = await ada.broadcast()
    await bob.mark("read", ids=[sent["id"]])
    await eve.mark("delete", ids=[sent["id"]])

    assert [await person.unread() for person in (ada, bob, eve)] == [1, 0, 0]
    assert [item["state"] for item in (await bob.inbox())["items"]] == ["read"]
    assert await ids(eve) == []
    assert (await eve.client.get(f"/v1/notifications/{sent['id']}")).status_code == 404
    assert await bob.mark("unread", ids=[sent["id"]]) == 1
    assert await ids(ada, state="unread") == [sent["id"]]


async def test_what_is_deleted_stays_deleted(ada: Person, bob: Person) -> None:
    newest_first = await arrivals(ada, bob, 4)
    assert (await bob.client.delete(f"/v1/notifications/{newest_first[0]}")).status_code == 204
    assert (await bob.client.delete(f"/v1/notifications/{newest_first[0]}")).status_code == 404
    await bob.mark("delete", ids=[newest_first[1]])
    for how in ("read", "unread", "delete"):
        await bob.mark(how, ids=newest_first[:2])

    assert await ids(bob) == newest_first[2:]
    assert await bob.unread() == 2
    assert await bob.mark("delete", through=newest_first[2]) == 0
    assert await ids(bob) == []


async def test_a_sender_follows_what_was_sent_even_when_it_was_deleted(ada: Person, bob: Person, eve: Person) -> None:
    sent = await ada.send(to=bob.id)
    await bob.mark("delete", ids=[sent["id"]])

    assert (await ada.get(f"/v1/notifications/{sent['id']}"))["title"] == sent["title"]
    listed = [(item["id"], item["recipient"]) for item in (await ada.get("/v1/notifications/sent"))["items"]]
    assert listed == [(sent["id"], {"id": bob.id, "name": bob.email})]
    assert await ids(ada) == []
    for stranger in (bob, eve):
        assert (await stranger.client.get(f"/v1/notifications/{sent['id']}")).status_code == 404


async def test_a_stream_goes_on_from_where_a_page_was_read(ada: Person, bob: Person) -> None:
    await ada.send("Before", to=bob.id)
    await ada.broadcast("To all")
    pages = [await bob.inbox() for _ in range(2)]  # as it was read, and as it was kept
    await ada.send("After", to=bob.id)
    later = await bob.inbox()

    for page in pages:
        async with bob.stream(page["position"]) as events:
            came = await events.next("notification")
            await events.until(later["position"])
        assert came.data["title"] == "After"
        assert [event.name for event in events.seen] == ["open", "notification", "count"]


async def test_a_cached_page_shows_the_status_of_now(ada: Person, db: Database, redis_url: str) -> None:
    sent = await ada.send()
    before = await ada.inbox()
    async with Redis.from_url(redis_url) as redis:
        assert await redis.keys("belfry:page:*")
    async with db.begin() as tx:
        await tx.execute(text("UPDATE notifications SET status = 'sent', updated_at = now() WHERE id = :id"), sent)
    after = await ada.inbox()

    assert [item["status"] for item in before["items"] + after["items"]] == ["pending", "sent"]
    assert after["items"][0]["updated_at"] > before["items"][0]["updated_at"]


@pytest.mark.parametrize("page_cache", [True, False])
async def test_a_page_is_never_older_than_the_readers_own_last_write(
    settings: Settings, db: Database, page_cache: bool
) -> None:
    """Two web processes, two connections each: what one has written, the other shows."""
    settings = msgspec.structs.replace(settings, page_cache=page_cache)
    async with (
        serving(settings) as one,
        serving(settings) as two,
        one.person("ada@example.com", role="sender") as ada,
        two.anonymous() as elsewhere,
    ):
        elsewhere.headers["authorization"] = ada.client.headers["authorization"]
        there = Person(elsewhere, ada.id, ada.email)

        async def write_and_read(writer: Person, reader: Person) -> None:
            for _ in range(8):
                sent = await writer.send(**INBOX_ONLY)
                page = await reader.inbox(page_size=100)
                assert sent["id"] in [item["id"] for item in page["items"]]
                await writer.mark("read", ids=[sent["id"]])
                page = await reader.inbox(page_size=100)
                assert {item["id"]: item["state"] for item in page["items"]}[sent["id"]] == "read"
                await writer.client.delete(f"/v1/notifications/{sent['id']}")
                assert sent["id"] not in await ids(reader, page_size=100)

        await asyncio.gather(write_and_read(ada, there), write_and_read(there, ada), write_and_read(ada, ada))
        kept, listed = await ada.inbox(), await there.inbox()

    assert kept == listed == {"items": [], "unread": 0, "next_cursor": None, "position": "72.0"}


async def test_the_badge_is_the_length_of_the_unread_list_whatever_happens_at_once(
    ada: Person, bob: Person, eve: Person
) -> None:
    first = await arrivals(ada, bob, 6)
    await asyncio.gather(
        *(ada.send(to=bob.id, **INBOX_ONLY) for _ in range(5)),
        *(eve.broadcast() for _ in range(3)),
        bob.mark("read", ids=first[:3]),
        bob.mark("delete", ids=first[2:4]),
        bob.mark("read", through=first[4]),
        bob.mark("unread", ids=first),
    )
    unread = await ids(bob, state="unread", page_size=100)

    assert await bob.unread() == len(unread) == (await bob.inbox())["unread"]
    assert not {first[2], first[3]} & set(await ids(bob, page_size=100))
