import asyncio
import os
import stat
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import urlsplit

import aiosmtplib
import msgspec
import pytest

from belfry.mail.caught import caught
from belfry.up import mailbox


def letter(subject: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Belfry <belfry@example.com>"
    message["To"] = "Ada <ada@example.com>"
    message["Subject"] = subject
    message["Message-ID"] = "<7.1@example.com>"
    message.set_content("Läuft.")
    message.add_alternative("<p>Läuft.</p>", subtype="html")
    return message


async def hand_in(url: str, message: EmailMessage) -> None:
    await aiosmtplib.send(message, hostname="127.0.0.1", port=urlsplit(url).port, start_tls=False)


def put(directory: Path, name: str, content: bytes, *, age: float = 0) -> Path:
    """A mail as the catcher leaves it, received `age` seconds ago."""
    for part in ("tmp", "new", "cur"):
        (directory / part).mkdir(parents=True, exist_ok=True)
    path = directory / "new" / name
    path.write_bytes(content)
    then = datetime.now(UTC).timestamp() - age
    os.utime(path, (then, then))
    return path


async def test_a_caught_mail_can_be_read(room: Path) -> None:
    async with mailbox.running(room / "mail") as catcher:
        await hand_in(catcher.url, letter("Build passed ✓"))
        [mail] = catcher.mails()

    assert mail.to == "ada@example.com"
    assert mail.subject == "Build passed ✓"
    assert mail.message_id == "<7.1@example.com>"
    assert (mail.text, mail.html) == ("Läuft.\n", "<p>Läuft.</p>\n")
    assert timedelta() <= datetime.now(UTC) - mail.received_at < timedelta(minutes=1)
    assert stat.S_IMODE((room / "mail").stat().st_mode) == 0o700


async def test_the_newest_mail_comes_first(room: Path) -> None:
    put(room, "a", b"Subject: second\n\n", age=20)
    put(room, "b", b"Subject: first\n\n", age=30)
    put(room, "c", b"Subject: third\n\n", age=10)
    assert [mail.subject for mail in caught(room)] == ["third", "second", "first"]
    assert [mail.subject for mail in caught(room, limit=1)] == ["third"]


async def test_only_the_newest_thousand_are_kept(room: Path) -> None:
    for number in range(mailbox.LIMIT + 5):
        put(room / "mail", str(number), b"Subject: old\n\n", age=5_000 - number)
    async with mailbox.running(room / "mail") as catcher:
        assert len(catcher.mails()) == mailbox.LIMIT
        await hand_in(catcher.url, letter("new"))
        kept = {path.name for path in (room / "mail" / "new").iterdir()}
        assert len(kept) == mailbox.LIMIT
        assert "5" not in kept
        assert "6" in kept
        assert catcher.mails()[0].subject == "new"


async def test_a_mail_being_written_is_not_listed_and_one_removed_is_left_out(room: Path) -> None:
    put(room, "whole", b"Subject: whole\n\n")
    (room / "tmp" / "half").write_bytes(b"Subject: ha")
    (room / "new" / "removed").symlink_to(room / "new" / "nothing")  # listed, and gone when it is read
    assert [mail.subject for mail in caught(room)] == ["whole"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe\x00",
        b"Subject: =?utf-8?q?=ff?=\nMessage-ID: <\nTo: @\n\n",
        b"Subject: \xff\nContent-Type: ;;\nTo: =?nonsense?q?a?=\n\n",
        b"Content-Type: text/plain; charset=nonsense\n\nhello",
        b"Content-Type: multipart/alternative; boundary=x\n\n--x\n",
        b"Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n%%%",
    ],
)
async def test_no_mail_is_too_odd_to_be_listed(room: Path, content: bytes) -> None:
    put(room, "odd", content)
    assert len(msgspec.json.decode(msgspec.json.encode(caught(room)))) == 1


async def test_no_mail_was_ever_caught(room: Path) -> None:
    assert caught(room / "nowhere") == []


async def test_open_connections_do_not_hold_up_the_end(room: Path) -> None:
    async with asyncio.timeout(5):
        async with mailbox.running(room / "mail") as catcher:
            client = aiosmtplib.SMTP(hostname="127.0.0.1", port=urlsplit(catcher.url).port, start_tls=False)
            await client.connect()
    client.close()
