"""A short history in which every promise held: bob is sent a notification and a broadcast, and reads the first."""

from tests.realtime.history import Truth
from tests.soak.evidence import (
    EVERYBODY,
    Attempt,
    Box,
    Copy,
    Delivery,
    Evidence,
    Heard,
    Hurt,
    Item,
    Listed,
    Marked,
    Sent,
    Told,
    Try,
)

ADA, BOB = 1, 2
LETTER, NEWS = 10, 11
TO_BOB, TO_ADA, TO_BOB_TOO = 100, 101, 102
MAILS = {TO_BOB: (BOB, LETTER, "letter"), TO_ADA: (ADA, NEWS, "news"), TO_BOB_TOO: (BOB, NEWS, "news")}
START = 1_000.0
EMAIL = {ADA: "ada@example.com", BOB: "bob@example.com"}


def answered(status: int | None = 202, *, at: float = START, took: float = 0.1, retry_after: bool = False) -> Try:
    return Try(began=at, ended=at + took, at="web 1", status=status, retry_after=retry_after)


def copy(delivery: int, *, at: float = START + 1, worker: str = "worker 1", told: bool = True) -> Copy:
    user, _, token = MAILS[delivery]
    return Copy(
        at=at,
        worker=worker,
        message_id=f"<{delivery}>",
        recipient=EMAIL[user],
        token=token,
        told_at=at if told else None,
    )


def attempt(outcome: str, text: str = "", *, took: float = 1.0) -> Attempt:
    return Attempt(worker="host:1", began=START + 1, ended=START + 1 + took, outcome=outcome, text=text)


def hurt(name: str, group: str, target: str, *, began: float = START, ended: float = START + 5) -> Hurt:
    return Hurt(name=name, group=group, target=target, began=began, ended=ended)


def sound() -> Evidence:
    letter = {"id": LETTER, "type": "personal", "state": "unread", "created_at": "2026-01-01T00:00:01Z"}
    news = {"id": NEWS, "type": "broadcast", "state": "unread", "created_at": "2026-01-01T00:00:02Z"}
    one, two = {"count": 1, "total": True}, {"count": 1, "total": False}
    opened = {"resumed": False, "replayed": 0, "unread": 0}
    told = [
        Told(at=START, position=(0, 0), opening=1, events=[("open", opened)]),
        Told(at=START + 0.1, position=(1, 0), opening=1, events=[("notification", letter), ("count", one)]),
        Told(at=START + 0.2, position=(1, 1), opening=1, events=[("notification", news), ("count", two)]),
        Told(
            at=START + 0.3,
            position=(2, 1),
            opening=1,
            events=[("state", {"state": "read", "ids": [LETTER]}), ("count", one)],
        ),
    ]
    email = ["inbox", "email"]
    return Evidence(
        sent=[
            Sent(
                token="letter",
                sender=ADA,
                path="/v1/notifications",
                to=[BOB],
                channels=email,
                key="letter",
                tries=[answered()],
                answers=[[LETTER]],
            ),
            Sent(
                token="news",
                sender=ADA,
                path="/v1/broadcasts",
                to=EVERYBODY,
                channels=email,
                key="news",
                tries=[answered()],
                answers=[[NEWS]],
            ),
        ],
        marked=[Marked(user=BOB, how="read", ids=[LETTER], tries=[answered(200)])],
        listed=[Listed(at=START, user=BOB, ids=[NEWS, LETTER])],
        copies=[copy(delivery) for delivery in MAILS],
        heard=[Heard(name="bob", user=BOB, told=told)],
        items={
            LETTER: Item(
                id=LETTER, user=BOB, token="letter", number=2, created=START, place=(START, LETTER), state="read"
            ),
            NEWS: Item(id=NEWS, user=None, token="news", number=1, created=START, place=(START, NEWS), state="unread"),
        },
        deliveries=[
            Delivery(
                id=id_,
                notification=notification,
                user=user,
                status="sent",
                attempts=1,
                created=START,
                tried=[attempt("sent")],
            )
            for id_, (user, notification, _) in MAILS.items()
        ],
        boxes={
            ADA: box(ADA, position=(0, 1), unread={0: 0}),
            BOB: box(BOB, position=(2, 1), unread={0: 0, 1: 1, 2: 0}),
        },
        healed=START + 10,
        mail_seconds=1.0,
        stream_seconds=1.0,
    )


def box(user: int, *, position: tuple[int, int], unread: dict[int, int]) -> Box:
    return Box(
        user=user,
        email=EMAIL[user],
        position=position,
        badge=1,
        broadcasts_from=0,
        receipts={},
        truth=Truth(start=0, unread=unread, receipts=[]),
    )
