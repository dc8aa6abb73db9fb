"""One example of everything that requests and answers carry, for the OpenAPI document.

They are values of the types themselves, so that a type and its example cannot drift apart.
"""

from datetime import UTC, datetime

import msgspec

from belfry.inbox.pages import Page
from belfry.realtime.frames import Alert
from belfry.web.alerts import NewAlert
from belfry.web.auth import Bearer, Credentials, Myself, NewAccount
from belfry.web.broadcasts import BroadcastPage, NewBroadcast
from belfry.web.health import Health, Readiness
from belfry.web.marks import Chosen, Ids, Unread
from belfry.web.notifications import Accepted, NewBatch, NewNotification, SentPage
from belfry.web.presence import Present
from belfry.web.tickets import Ticket
from db.models import Channel, Role
from db.queries.broadcasts import Broadcast
from db.queries.notifications import Item, Sender

AT = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)
ADDRESS = "ada@example.com"
PASSWORD = "correct horse battery staple"  # noqa: S105
LINK = "https://ci.example.com/builds/7"

ITEM = Item(
    id=42,
    type="personal",
    title="Build passed",
    content="All 412 tests are green.",
    link=LINK,
    priority=3,
    tags=["ci"],
    channels=[Channel.INBOX, Channel.EMAIL],
    sender=Sender(1, "Ada Lovelace"),
    state="unread",
    status="pending",
    created_at=AT,
    updated_at=AT,
    read_at=None,
)
SAID_TO_ALL = msgspec.structs.replace(
    ITEM, type="broadcast", title="Maintenance tonight", content="From 22:00 to 23:00.", link=None, tags=[]
)
BROADCAST = Broadcast(
    **msgspec.structs.asdict(SAID_TO_ALL), total=1_200, read=310, expanded=1_200, sent=1_190, failed=2, remaining=8
)

EXAMPLES = {
    type(each).__name__: each
    for each in (
        NewAccount(email=ADDRESS, password=PASSWORD, display_name="Ada Lovelace"),
        Credentials(email=ADDRESS, password=PASSWORD),
        Bearer("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "Bearer", 43_200),
        Myself(1, ADDRESS, "Ada Lovelace", Role.MEMBER, "UTC", "en"),
        NewNotification(to="bob@example.com", title=ITEM.title, content=ITEM.content, link=LINK, tags=["ci"]),
        NewBatch(to=["bob@example.com", 7], title=ITEM.title, content=ITEM.content, link=LINK),
        Accepted([42, 43]),
        ITEM,
        Page([ITEM], 1, "ktf_AAAAAGmQ8f0q"),
        SentPage([ITEM], 42),
        NewBroadcast(title=SAID_TO_ALL.title, content=SAID_TO_ALL.content, channels=[Channel.INBOX, Channel.EMAIL]),
        BROADCAST,
        BroadcastPage([BROADCAST], 42),
        NewAlert(to="everyone", title="Coffee is ready"),
        Alert("9f1c2d3e4b5a69788796a5b4c3d2e1f0", None, "Coffee is ready", "", None, AT),
        Chosen(ids=[41, 42]),
        Ids(ids=[41, 42]),
        Unread(3),
        Ticket("Yk3PZ0oQ4mY6cJw1x8hVt2nRb7sLd5fGe9uKaTiBqXw", 30),
        Present(1, ADDRESS, 2),
        Health("ok"),
        Readiness("ok", "ok", "ok", 12),
    )
}
