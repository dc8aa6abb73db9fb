from tests.people import Person


async def test_reading_through_a_deleted_item_names_one_that_clients_still_show(ada: Person, bob: Person) -> None:
    older, deleted = [(await ada.send(to=bob.id, title=title))["id"] for title in ("older", "deleted")]
    await bob.mark("delete", ids=[deleted])
    async with bob.stream() as events:
        assert await bob.mark("read", through=deleted) == 0
        state = await events.next("state")
    assert state.data == {"state": "read", "through": older}


async def test_a_request_that_changes_nothing_takes_no_number(bob: Person) -> None:
    sent = await bob.send()
    await bob.mark("read", ids=[sent["id"]])
    async with bob.stream() as events:
        opened = await events.next("open")
        await bob.mark("read", ids=[sent["id"]])
        await bob.mark("read", through=sent["id"])
        await bob.mark("unread", ids=[sent["id"]])
        count = await events.next("count")
    assert (opened.id, count.id) == ("2.0", "3.0")
