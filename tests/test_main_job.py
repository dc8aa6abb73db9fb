"""The whole way of a notification: sent by one, seen live, found in the inbox, mailed, read by the other."""

import asyncio

from belfry.settings import Settings
from tasks.worker import run
from tests.people import Person
from tests.smtp_sink import Sink


async def test_a_notification_reaches_the_open_stream_and_the_mailbox(
    ada: Person, bob: Person, sink: Sink, settings: Settings
) -> None:
    stop = asyncio.Event()
    working = asyncio.create_task(run(settings, stop))
    async with bob.stream() as events:
        sent = await ada.send(to="bob@example.com", content="All green.", link="https://ci.example.com/7")
        arrived = await events.next("notification")
        count = await events.next("count")
        [mail] = await sink.received(1)
        read = await bob.mark("read", ids=[sent["id"]])
        state = await events.next("state")
        emptied = await events.next("count")
    stop.set()
    await working

    assert arrived.data["title"] == "Build passed"
    assert arrived.data["sender"]["name"] == "Ada Lovelace"
    assert count.data == {"count": 1, "total": True}
    assert mail.message["Subject"] == "Build passed"
    assert state.data == {"state": "read", "ids": [sent["id"]]}
    assert emptied.data == {"count": 0, "total": True}
    assert read == 0
    assert (await ada.get(f"/v1/notifications/{sent['id']}"))["status"] == "sent"
