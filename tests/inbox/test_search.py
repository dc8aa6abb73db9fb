"""Searching the inbox by words of titles: what is found, and that it costs no more than a look at so many items."""

from typing import Any

from sqlalchemy import text

from db import Database
from db.queries import inbox
from tests.people import Person

FILLED = text("""
    WITH box AS (UPDATE inboxes SET modseq = :count, unread = :count WHERE user_id = :user RETURNING user_id)
    INSERT INTO notifications (user_id, sender_id, modseq, title, content, priority, tags, channels, status, visible_at)
    SELECT :user, :user, n, CASE WHEN n = 1 THEN 'The needle' ELSE 'Build ' || n END, '', 3, '{}', '{inbox}', 'none',
           now() - make_interval(secs => :count - n)
    FROM generate_series(1, :count) n, box
""")


async def fill(db: Database, person: Person, count: int) -> None:
    """Put so many notifications into an empty inbox; the oldest is "The needle"."""
    async with db.begin() as tx:
        await tx.execute(FILLED, {"user": person.id, "count": count})


async def titles(person: Person, **query: Any) -> list[str]:
    """Of all pages of a search."""
    found: list[str] = []
    page = await person.inbox(**query)
    found += [item["title"] for item in page["items"]]
    while page["next_cursor"]:
        page = await person.inbox(cursor=page["next_cursor"], **query)
        found += [item["title"] for item in page["items"]]
    return found


async def test_words_are_found_in_titles_wherever_they_stand_and_nowhere_else(ada: Person, bob: Person) -> None:
    await ada.send("Deploy failed: 100% of it", to=bob.id, content="needle")
    await ada.broadcast("ÜBUNG am Montag")
    await ada.send("构建失败", to=bob.id)
    await ada.send("To myself: deploy")

    assert await titles(bob, q="deploy") == ["Deploy failed: 100% of it"]
    assert await titles(bob, q="FAILED: 100%") == ["Deploy failed: 100% of it"]
    assert await titles(bob, q="übung") == ["ÜBUNG am Montag"]
    assert await titles(bob, q="失败") == ["构建失败"]
    assert await titles(bob, q="needle") == await titles(bob, q="_") == await titles(bob, q="%%") == []


async def test_a_search_goes_with_the_other_filters_and_follows_changes(ada: Person, bob: Person) -> None:
    first = await ada.send("Deploy one", to=bob.id)
    notice = await ada.broadcast("Deploy two")
    assert await titles(bob, q="deploy") == ["Deploy two", "Deploy one"]
    await bob.mark("read", ids=[first["id"]])
    assert await titles(bob, q="deploy", state="unread") == ["Deploy two"]
    assert await titles(bob, q="deploy", type="personal") == ["Deploy one"]
    await bob.mark("delete", ids=[notice["id"]])
    assert await titles(bob, q="deploy") == ["Deploy one"]
    assert await titles(bob, q="deploy", state="unread") == []


async def test_what_is_rare_in_a_large_inbox_is_found_piece_by_piece(db: Database, bob: Person) -> None:
    count = inbox.SEARCHED + 3
    await fill(db, bob, count)
    first = await bob.inbox(q="needle")
    assert first["items"] == []
    last = await bob.inbox(q="needle", cursor=first["next_cursor"])
    assert ([item["title"] for item in last["items"]], last["next_cursor"]) == (["The needle"], None)

    everything = await titles(bob, q="build", page_size=100)
    assert everything == [f"Build {n}" for n in range(count, 1, -1)]


async def test_the_end_of_a_look_may_be_found_too(db: Database, bob: Person) -> None:
    """The needle is the very last item of a full look: it comes once."""
    await fill(db, bob, inbox.SEARCHED)
    assert await titles(bob, q="needle") == ["The needle"]


async def test_a_search_that_cannot_be_is_refused(bob: Person) -> None:
    refused: list[tuple[dict[str, Any], str]] = [
        ({"q": ""}, "q"),
        ({"q": "x" * 256}, "q"),
        ({"q": "a\0"}, "q"),
        ({"q": "x", "page": 2}, "page"),
    ]
    for query, field in refused:
        answer = await bob.client.get("/v1/notifications", params=query)
        assert (answer.status_code, [each["field"] for each in answer.json()["errors"]]) == (422, [field])
