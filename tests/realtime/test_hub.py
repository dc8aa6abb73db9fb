"""Moments of the hub that no client can stage."""

from datetime import UTC, datetime, timedelta

import pytest

from belfry.realtime.formats import SSE, dialect
from belfry.realtime.frames import InboxChanged
from belfry.realtime.hub import MOST_WAITING, Hub
from belfry.realtime.stream import Phase, Stream

MESSAGES = MOST_WAITING + 50


@pytest.mark.parametrize(
    ("read_up_to", "goes_live"),
    [(MESSAGES, True), (MESSAGES - MOST_WAITING, True), (MESSAGES - MOST_WAITING - 1, False)],
)
async def test_more_came_while_a_stream_was_read_than_is_kept(read_up_to: int, goes_live: bool) -> None:
    hub = Hub(lagging_seconds=30, changed=lambda user_id, streams: None)
    later = datetime.now(UTC) + timedelta(hours=1)
    stream = Stream(hub, user_id=1, session_id=1, expires_at=later, cursor=None, dialect=dialect(SSE))
    stream.write = lambda data: None
    hub.add(stream)
    hub.behind.clear()  # taken by the reader
    for number in range(1, MESSAGES + 1):
        hub.receive(InboxChanged(1, number, unread=number, events=[]))

    stream.at(read_up_to, 0)
    hub.join(stream)

    assert (stream.phase, stream.inbox) == ((Phase.LIVE, MESSAGES) if goes_live else (Phase.READING, read_up_to))
    assert (stream in hub.behind) is not goes_live
