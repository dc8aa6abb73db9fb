"""What is wrong with the mail server or with our settings: nobody's mail pays for it, and everybody can see it."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from belfry.settings import Settings
from db import Database
from tasks.context import open_context
from tasks.send_due import send_due
from tests.people import Events, Person
from tests.rows import attempts_of, delivery, email_to, user, users
from tests.serving import Serving
from tests.smtp_sink import Fault, Sink, smtp_sink
from tests.tasks.test_worker import working

SENDING_AT_ONCE = 4


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return msgspec.structs.replace(settings, send_seconds=0.5, smtp_connections=SENDING_AT_ONCE, sweep_seconds=1)


async def until(ask: Callable[[], Any], wanted: Callable[[Any], bool]) -> Any:
    """Ask until the answer is as wanted."""
    found = None
    try:
        async with asyncio.timeout(10):
            while not wanted(found := await ask()):  # noqa: ASYNC110  # nothing tells when an answer changes
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(found) from None
    return found


AT_PLACES: dict[str, tuple[str, str | Fault]] = {
    "no greeting": ("CONNECT", Fault.HANG),
    "hangs up": ("CONNECT", Fault.DROP),
    "421 at the greeting": ("CONNECT", "421 4.3.2 busy"),
    "554 at the greeting": ("CONNECT", "554 5.3.2 go away"),
    "550 at MAIL": ("MAIL", "550 5.7.1 not your address"),
    "530 at MAIL": ("MAIL", "530 5.7.0 authentication required"),
    "frozen": ("EHLO", Fault.HANG),
}


@asynccontextmanager
async def stage(fault: str) -> AsyncIterator[tuple[str, str, Callable[[], None]]]:
    """A mail server with a fault: its URL, what we shall say of it, and how to mend it."""
    match fault:
        case "refused":
            async with smtp_sink() as gone:
                port = gone.port
            yield f"smtp://127.0.0.1:{port}", "connect", lambda: None
        case "wrong password":
            async with smtp_sink(extensions=("AUTH PLAIN",)) as sink:
                sink.always("AUTH", "535 5.7.8 wrong password")
                yield f"smtp://ada:x@127.0.0.1:{sink.port}", "535 5.7.8 wrong", lambda: sink.always("AUTH", None)
        case _:
            place, answer = AT_PLACES[fault]
            async with smtp_sink() as sink:
                sink.always(place, answer)
                said = "no connection within" if answer is Fault.HANG else "connect" if answer is Fault.DROP else answer
                yield sink.url, str(said), lambda: sink.always(place, None)


@pytest.mark.parametrize("fault", ["refused", "wrong password", *AT_PLACES])
async def test_no_attempt_is_burnt_and_all_mail_stays_pending(settings: Settings, db: Database, fault: str) -> None:
    made = [await email_to(db, each) for each in await users(db, 20)]
    async with stage(fault) as (url, said, _), open_context(msgspec.structs.replace(settings, smtp_url=url)) as context:
        await send_due(context)

        assert not context.mailer.breaker.closed
        assert said.lower() in str(context.mailer.breaker.reason).lower()
    rows = [await delivery(db, each) for each in made]
    assert {(row.status, row.attempts, row.later) for row in rows} == {("pending", 0, False)}
    tried = [attempt.outcome for each in made for attempt in await attempts_of(db, each)]
    assert set(tried) == {"relay down"}
    assert len(tried) <= SENDING_AT_ONCE


@pytest.fixture
async def admin(eve: Person) -> AsyncIterator[tuple[Person, Events]]:
    """Eve, with a stream open."""
    async with eve.stream() as events:
        await events.next("open")
        yield eve, events


async def readiness(belfry: Serving) -> Any:
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"{belfry.url}/health/ready")
    assert answer.status_code == 200
    return answer.json()


@pytest.mark.parametrize("fault", ["wrong password", "550 at MAIL", "554 at the greeting", "no greeting"])
async def test_it_is_seen_everywhere_and_goes_on_by_itself(
    belfry: Serving, settings: Settings, db: Database, admin: tuple[Person, Events], bob: Person, fault: str
) -> None:
    eve, events = admin
    async with bob.stream() as others, stage(fault) as (url, said, mend):
        made = [await email_to(db, each) for each in await users(db, 20)]
        async with working(msgspec.structs.replace(settings, smtp_url=url)):
            paused = await events.next("queue", within=10)
            ready = await until(lambda: readiness(belfry), lambda now: now["mail"] == "paused")
            queue = await eve.get("/v1/queue")
            rows = [await delivery(db, each) for each in made]

            mend()
            resumed = await events.next("queue", within=20)
            await until(lambda: eve.get("/v1/queue"), lambda now: now["counts"]["sent"] == 20)

        assert paused.data["mail"] == "paused"
        assert said.lower() in paused.data["reason"].lower()
        assert not paused.carries_id or paused.id == ""
        assert resumed.data == {"mail": "working", "reason": None}
        assert (ready["status"], ready["workers"]) == ("ok", 1)
        assert said.lower() in ready["mail_reason"].lower()
        assert {row.status for row in rows} <= {"pending", "processing"}
        assert (queue["mail"], queue["reason"]) == ("paused", paused.data["reason"])
        [worker] = queue["workers"]
        assert (worker["mail"], worker["reason"]) == ("paused", paused.data["reason"])
        assert [event.name for event in others.seen] == ["open"]


# Another way to write 127.0.0.1, which our settings do not take for this machine: so they insist on STARTTLS.
ELSEWHERE = "127.1"


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
async def test_a_bad_certificate_stops_all_mail_before_a_word_of_it_is_said(
    settings: Settings, db: Database, certificate: Path, scheme: str
) -> None:
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(certificate)
    made = await email_to(db, await user(db))
    async with smtp_sink(tls=server, implicit_tls=scheme == "smtps", extensions=("AUTH PLAIN",)) as sink:
        url = f"{scheme}://ada:secret@{ELSEWHERE}:{sink.port}"
        async with open_context(msgspec.structs.replace(settings, smtp_url=url)) as context:
            await send_due(context)
            reason = context.mailer.breaker.reason

    assert "certificate" in str(reason)
    row = await delivery(db, made)
    assert (row.status, row.attempts) == ("pending", 0)
    assert {command.split()[0] for command in sink.commands} <= {"EHLO", "STARTTLS"}


async def test_a_server_without_starttls_is_told_nothing(settings: Settings, db: Database) -> None:
    made = await email_to(db, await user(db))
    async with smtp_sink(extensions=("AUTH PLAIN",)) as sink:
        url = f"smtp://ada:secret@{ELSEWHERE}:{sink.port}"
        async with open_context(msgspec.structs.replace(settings, smtp_url=url)) as context:
            await send_due(context)
            reason = context.mailer.breaker.reason

    assert "STARTTLS" in str(reason)
    row = await delivery(db, made)
    assert (row.status, row.attempts) == ("pending", 0)
    assert [command.split()[0] for command in sink.commands] == ["EHLO"]


async def test_a_server_that_says_a_byte_at_a_time_is_given_up_in_time(
    settings: Settings, db: Database, sink: Sink
) -> None:
    """The deadline is for the whole mail: each byte would put off one that is for a reply."""
    sink.once("RCPT", Fault.DRIP)
    slow = await email_to(db, await user(db))

    async with open_context(settings) as context:
        async with asyncio.timeout(5):
            await send_due(context)
        row = await delivery(db, slow)
        assert (row.status, row.attempts) == ("pending", 1)
        other = await email_to(db, row.user_id)
        await send_due(context)

    assert (await delivery(db, other)).status == "sent"
    assert sink.connections == 2


@pytest.mark.parametrize("answer", ["450 4.2.1 busy", "451 4.3.0 error", "452 4.2.2 mailbox full", "421 4.3.2 closing"])
async def test_one_recipient_s_trouble_is_no_other_s(settings: Settings, db: Database, sink: Sink, answer: str) -> None:
    sink.once("RCPT", answer)
    made = [await email_to(db, each) for each in await users(db, 10)]

    async with open_context(settings) as context:
        await send_due(context)

    rows = [await delivery(db, each) for each in made]
    assert sorted(row.status for row in rows) == ["pending"] + ["sent"] * 9
    [late] = [row for row in rows if row.status == "pending"]
    assert (late.attempts, late.smtp_code, late.later) == (1, int(answer[:3]), True)


async def test_an_address_the_server_cannot_take_fails_and_says_why(
    settings: Settings, db: Database, sink: Sink
) -> None:
    made = await email_to(db, await user(db, "ådå@example.com"))
    async with open_context(settings) as context:
        await send_due(context)

    row = await delivery(db, made)
    assert row.status == "failed"
    assert "SMTPUTF8" in row.reason
    assert sink.mails == []
