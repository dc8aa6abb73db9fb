"""One example of everything that requests and answers carry, for the OpenAPI document.

They are values of the types themselves, so that a type and its example cannot drift apart.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from belfry.accounts.addresses import Verified
from belfry.inbox.pages import Page
from belfry.mail.queue import Queue
from belfry.mail.workers import Doing, WorkerState
from belfry.realtime.frames import Alert
from belfry.schedules.plans import NewSchedule, ScheduleChange
from belfry.sending.messages import NewBroadcast
from belfry.web.alerts import NewAlert
from belfry.web.api_keys import ActingToken, NewApiKey, ShownOnce
from belfry.web.audit import AuditPage
from belfry.web.auth import Bearer, Confirmation, Credentials, Refresh
from belfry.web.broadcasts import BroadcastPage
from belfry.web.deliveries import FailedPage, Retried, Span
from belfry.web.forgotten import Forgotten, PasswordByLink
from belfry.web.health import Health, Readiness
from belfry.web.invitations import InvitationPage, NewInvitation
from belfry.web.leaving import Export, Leaving
from belfry.web.marks import Chosen, Ids, Unread
from belfry.web.me import MailSent, MyChange, Myself, NewAddress, NewPassword
from belfry.web.notifications import Accepted, NewBatch, NewNotification, SentPage
from belfry.web.presence import Present
from belfry.web.registering import Acceptance, GivenLink, LinkPurpose, NewAccount, Proof, Rules
from belfry.web.schedules import RunPage, ScheduleItem, SchedulePage
from belfry.web.sessions import LoginItem
from belfry.web.suppressions import NewSuppression, SuppressionPage
from belfry.web.tickets import Ticket
from belfry.web.users import UserChange, UserItem, UserPage
from db.models import Action, Channel, DeliveryStatus, KeyScope, LatePolicy, Outcome, Role, Scope, SuppressionReason
from db.queries.api_keys import ApiKeyItem
from db.queries.audit import Entry
from db.queries.broadcasts import Broadcast
from db.queries.failures import FailedDelivery
from db.queries.invitations import Invitation
from db.queries.notifications import Item, Sender, SentItem
from db.queries.schedules import Run
from db.queries.suppressions import Suppression
from db.queries.traces import Attempt, DeliveryTrace, Trace

METRICS = """\
# HELP belfry_oldest_due_seconds For how long the first e-mail that is due has been so.
# TYPE belfry_oldest_due_seconds gauge
belfry_oldest_due_seconds 3.2
"""
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
    **msgspec.structs.asdict(SAID_TO_ALL),
    total=1_200,
    read=310,
    expanded=1_200,
    sent=1_190,
    failed=2,
    remaining=8,
    rate=24.5,
)
SECOND = timedelta(seconds=1)
TRACE = Trace(
    id=ITEM.id,
    type=ITEM.type,
    title=ITEM.title,
    status="sent",
    reason=None,
    accepted_at=AT,
    send_at=None,
    expires_at=None,
    arrived_at=AT,
    recipient=Sender(7, "Bob"),
    expansion=None,
    deliveries=[
        DeliveryTrace(
            user_id=7,
            channel=Channel.EMAIL,
            status="sent",
            reason=None,
            queued_at=AT,
            due_at=AT + 4 * SECOND,
            worker=None,
            handed_over_at=AT + 4 * SECOND,
            sent_at=AT + 5 * SECOND,
            attempts=[
                Attempt("mail1:4711", AT, AT + SECOND, "delayed", 450, "4.2.1 busy"),
                Attempt("mail1:4711", AT + 4 * SECOND, AT + 5 * SECOND, "sent", 250, "2.0.0 taken"),
            ],
        )
    ],
    read_at=AT + 60 * SECOND,
)

FAILED = FailedDelivery(
    id=9,
    notification_id=ITEM.id,
    type=ITEM.type,
    title=ITEM.title,
    recipient=Sender(7, "Bob"),
    address="bob@example.com",
    reason="refused by the mail server",
    code=550,
    said="5.1.1 no such user",
    attempts=1,
    failed_at=AT,
)
SIGNED = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
REFRESH_TOKEN = "blr_2nRb7sLd5fGe9uKaTiBqXwYk3PZ0oQ4mY6cJw1x8hVt"  # noqa: S105
LINK_TOKEN = "bll_6cJw1x8hVt2nRb7sLd5fGe9uKaTiBqXwYk3PZ0oQ4mY"  # noqa: S105
USER = UserItem(
    id=7,
    email="bob@example.com",
    display_name="Bob",
    role=Role.MEMBER,
    created_at=AT,
    email_verified_at=AT,
    disabled_at=None,
    last_seen_at=AT,
)
INVITATION = Invitation(
    id=5,
    email="grace@example.com",
    role=Role.SENDER,
    language="en",
    invited_by=Sender(1, "Ada Lovelace"),
    created_at=AT,
    expires_at=AT + 7 * 86_400 * SECOND,
    mail=DeliveryStatus.SENT,
    reason=None,
)
EXPORT = Export(
    exported_at=AT,
    account={"id": 1, "email": ADDRESS},
    notifications=[{"id": 42, "title": ITEM.title, "sender": "Ada Lovelace"}],
    **{
        name: []
        for name in ("broadcasts", "sent", "emails", "schedules", "logins", "api_keys", "suppressions", "actions")
    },
)
API_KEY = ApiKeyItem(12, "CI", [KeyScope.READ, KeyScope.SEND], ["192.0.2.0/24"], AT, AT, None)

SUPPRESSION = Suppression(42, ADDRESS, Scope.ALL, SuppressionReason.BOUNCED, "550 5.1.1 no such user", AT)
RELAY_SAID = "535 5.7.8 authentication failed"
QUEUED = {DeliveryStatus.PENDING: 12, DeliveryStatus.SENT: 1_190, DeliveryStatus.FAILED: 2}
WORKER = WorkerState(
    name="belfry-1:4711",
    started_at=AT,
    doing=[Doing("send_due", AT)],
    sending=1,
    rate=0.0,
    mail="paused",
    reason=RELAY_SAID,
    mail_since=AT,
)

SCHEDULE = NewSchedule(
    name="Weekly report",
    cron="0 7 * * MON",
    time_zone="Europe/Berlin",
    title="Report of {date}",
    content="This is number {count}.",
    late_policy=LatePolicy.SKIP,
)
BERLIN = ZoneInfo(SCHEDULE.time_zone)
SCHEDULE_ITEM = ScheduleItem(
    **msgspec.structs.asdict(SCHEDULE),
    id=3,
    owner=ITEM.sender,
    sent=11,
    next_runs=[datetime(2026, 3, day, 7, tzinfo=BERLIN) for day in (16, 23, 30)],
    created_at=AT,
    updated_at=AT,
)
RUN = Run(8, datetime(2026, 3, 9, 6, tzinfo=UTC), datetime(2026, 3, 9, 6, tzinfo=UTC), False, Outcome.SENT, None, [42])

EXAMPLES = {
    type(each).__name__: each
    for each in (
        NewAccount(email=ADDRESS, password=PASSWORD, display_name="Ada Lovelace"),
        Credentials(email=ADDRESS, password=PASSWORD),
        Refresh(refresh_token=REFRESH_TOKEN),
        Bearer(SIGNED, "Bearer", 900, REFRESH_TOKEN),
        MyChange(language="zh-Hans", time_zone="Asia/Shanghai"),
        NewPassword(current=PASSWORD, new="a longer and a better one"),
        LoginItem(7, True, "Mozilla/5.0 (X11; Linux x86_64)", AT, AT, AT + 30 * 86_400 * SECOND),
        NewApiKey(name=API_KEY.name, scopes=API_KEY.scopes, networks=API_KEY.networks),
        API_KEY,
        ShownOnce(
            "blf_Yk3PZ0oQ4mY6cJw1x8hVt2nRb7sLd5fGe9uKaTiBqXw",
            API_KEY.id,
            API_KEY.name,
            API_KEY.scopes,
            API_KEY.networks,
            AT,
            None,
        ),
        ActingToken(SIGNED, "Bearer", 900, 7),
        Myself(1, ADDRESS, True, "Ada Lovelace", Role.MEMBER, "UTC", "en"),
        Rules("open", False, 8, 256, False),
        MailSent("grace@example.com", 1_800),
        GivenLink(token=LINK_TOKEN),
        Proof(token=LINK_TOKEN, password=PASSWORD),
        LinkPurpose("invite", "grace@example.com", AT + 7 * 86_400 * SECOND, Role.SENDER, "Ada Lovelace"),
        Verified(ADDRESS, "verified"),
        Acceptance(token=LINK_TOKEN, password=PASSWORD, display_name="Grace Hopper"),
        Forgotten(email=ADDRESS),
        PasswordByLink(token=LINK_TOKEN, password=PASSWORD),
        Confirmation(password=PASSWORD),
        NewAddress(email="ada@analytical.example", password=PASSWORD),
        Leaving(password=PASSWORD),
        EXPORT,
        USER,
        UserPage([USER], 7),
        UserChange(role=Role.SENDER),
        NewInvitation(email="grace@example.com", role=Role.SENDER),
        INVITATION,
        InvitationPage([INVITATION], 5),
        NewNotification(to="bob@example.com", title=ITEM.title, content=ITEM.content, link=LINK, tags=["ci"]),
        NewBatch(to=["bob@example.com", 7], title=ITEM.title, content=ITEM.content, link=LINK),
        Accepted([42, 43]),
        ITEM,
        Page([ITEM], 1, "ktf_AAAAAGmQ8f0q", "41.7"),
        SentPage([SentItem(**msgspec.structs.asdict(ITEM), recipient=Sender(7, "Bob"))], 42),
        NewBroadcast(title=SAID_TO_ALL.title, content=SAID_TO_ALL.content, channels=[Channel.INBOX, Channel.EMAIL]),
        BROADCAST,
        BroadcastPage([BROADCAST], 42),
        TRACE,
        Span(from_=AT, to=AT + 3600 * SECOND),
        Retried(12),
        FailedPage([FAILED], 9),
        NewAlert(to="everyone", title="Coffee is ready"),
        Alert("9f1c2d3e4b5a69788796a5b4c3d2e1f0", None, "Coffee is ready", "", None, AT),
        Chosen(ids=[41, 42]),
        Ids(ids=[41, 42]),
        Unread(3),
        Ticket("Yk3PZ0oQ4mY6cJw1x8hVt2nRb7sLd5fGe9uKaTiBqXw", 30),
        Present(1, ADDRESS, 2),
        SCHEDULE,
        ScheduleChange(enabled=False),
        SCHEDULE_ITEM,
        SchedulePage([SCHEDULE_ITEM], 3),
        RUN,
        RunPage([RUN], 8),
        AuditPage([Entry(17, AT, 1, ADDRESS, Action.BROADCAST_SENT, "notification 42", {"by": "request"})], 17),
        Health("ok"),
        Readiness("ok", "ok", "ok", 12, "paused", RELAY_SAID, 1),
        NewSuppression(address=ADDRESS, detail="asked by telephone"),
        SUPPRESSION,
        SuppressionPage([SUPPRESSION], 42),
        Queue({**dict.fromkeys(DeliveryStatus, 0), **QUEUED}, [], 3.2, 0.0, "paused", RELAY_SAID, [WORKER]),
    )
}
