from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from uuid import uuid4

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from belfry.mail.letters import Letterhead
from db.queries.deliveries import Letter

LETTERHEAD = Letterhead(mail_from="Belfry <belfry@example.org>", public_url="https://belfry.example.org")

LETTER = Letter(
    id=17,
    lease_token=uuid4(),
    attempt=1,
    unwanted=None,
    notification_id=4,
    broadcast=False,
    email="ada@example.com",
    display_name="Ada Lovelace",
    language="en",
    time_zone="UTC",
    title="Build passed",
    content="All green.",
    link="https://ci.example.com/?run=4&branch=main",
    priority=3,
    tags=["ci"],
    sender="Charles",
    created_at=datetime(2026, 5, 4, 12, 30, 15, 250000, tzinfo=UTC),
)

# what PostgreSQL can hold in a text column
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))


def letter(**changed: object) -> Letter:
    return msgspec.structs.replace(LETTER, **changed)


def read(raw: bytes) -> EmailMessage:
    """Parse a mail after making sure that it may go through any server."""
    assert raw.endswith(b"\r\n")
    for line in raw[:-2].split(b"\r\n"):
        assert len(line) <= 998
        assert b"\r" not in line
        assert b"\n" not in line
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    return message


def body(message: EmailMessage, subtype: str) -> str:
    part = message.get_body((subtype,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def test_a_letter_says_what_the_notification_says() -> None:
    message = read(LETTERHEAD.render(LETTER))

    assert message["From"] == "Belfry <belfry@example.org>"
    assert message["To"] == "Ada Lovelace <ada@example.com>"
    assert message["Subject"] == "Build passed"
    assert message["Date"].datetime == datetime(2026, 5, 4, 12, 30, 15, tzinfo=UTC)
    assert message["Message-ID"] == "<delivery.17@example.org>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["List-Id"] is None
    assert message.get_content_type() == "multipart/alternative"
    assert body(message, "plain") == (
        "Build passed\n\nAll green.\n\nhttps://ci.example.com/?run=4&branch=main\n\n"
        "-- \nCharles, through Belfry\nhttps://belfry.example.org\n"
    )
    assert 'href="https://ci.example.com/?run=4&amp;branch=main"' in body(message, "html")


def test_every_try_gives_the_same_bytes() -> None:
    assert LETTERHEAD.render(letter(attempt=2, lease_token=uuid4())) == LETTERHEAD.render(LETTER)


def test_what_the_recipients_of_a_broadcast_share_names_none_of_them() -> None:
    first = read(LETTERHEAD.render(letter(broadcast=True, notification_id=5)))
    second = read(
        LETTERHEAD.render(letter(broadcast=True, notification_id=5, id=18, email="bob@example.com", display_name=""))
    )

    assert first["List-Id"] == "Belfry broadcasts <broadcasts.example.org>"
    assert (first["To"], second["To"]) == ("Ada Lovelace <ada@example.com>", "bob@example.com")
    assert (first["Message-ID"], second["Message-ID"]) == ("<delivery.17@example.org>", "<delivery.18@example.org>")
    assert body(first, "html") == body(second, "html")


def test_two_broadcasts_are_not_taken_for_one_another() -> None:
    LETTERHEAD.render(letter(broadcast=True, notification_id=6, title="First"))
    second = LETTERHEAD.render(letter(broadcast=True, notification_id=7, title="Second"))

    assert read(second)["Subject"] == "Second"


@pytest.mark.parametrize(
    "title",
    [
        "Zażółć gęślą jaźń",
        "ビルドが成功しました" * 25,
        "🎉" * 255,
        "x" * 255,
        "looks =?utf-8?q?encoded?= already",
        "trailing dots.. and: colons, \"quotes\" <angles>",
        "two  spaces",
    ],
)  # fmt: skip
def test_a_subject_arrives_as_it_was_written(title: str) -> None:
    message = read(LETTERHEAD.render(letter(title=title)))

    assert message["Subject"] == title


@pytest.mark.parametrize("name", ["Zoë", "Müller, Jürgen", 'Ada "the first" L.', "=?utf-8?q?x?="])
def test_a_display_name_arrives_as_it_was_written(name: str) -> None:
    [address] = read(LETTERHEAD.render(letter(display_name=name)))["To"].addresses

    assert (address.display_name, address.addr_spec) == (name, "ada@example.com")


@pytest.mark.parametrize("name", ["山田太郎" * 40, "a" * 250])
def test_a_name_too_long_for_a_line_is_folded(name: str) -> None:
    raw = LETTERHEAD.render(letter(display_name=name))
    read(raw)

    # the newer parser keeps the space between two encoded words of a name, against RFC 2047; the older does not
    folded = make_header(decode_header(message_from_bytes(raw)["To"]))
    assert str(folded) == f"{name} <ada@example.com>"


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\u2028", "\x0b", "\x85", "\r\n\r\n"])
def test_no_line_end_in_the_database_makes_a_header(end: str) -> None:
    smuggled = f"x{end}Bcc: eve@example.net"
    raw = LETTERHEAD.render(letter(title=smuggled, display_name=smuggled, email=smuggled, sender=smuggled))
    message = read(raw)

    assert message["Bcc"] is None
    assert b"\r\nBcc:" not in raw.split(b"\r\n\r\n")[0]


def test_a_long_text_in_another_script_survives() -> None:
    content = "Кирилл и Мефодий. " * 1000
    message = read(LETTERHEAD.render(letter(content=content)))

    assert content in body(message, "plain")


def test_html_in_the_text_stays_text() -> None:
    html = body(read(LETTERHEAD.render(letter(title="<script>alert(1)</script>", content="a < b & c\n\n<b>"))), "html")

    assert "<script>" not in html
    assert "a &lt; b &amp; c" in html


def test_an_international_domain_is_written_as_the_dns_knows_it() -> None:
    message = read(LETTERHEAD.render(letter(email="ada@bücher.example", display_name="")))

    assert message["To"] == "ada@xn--bcher-kva.example"


@given(title=TEXT.filter(bool), content=TEXT, name=TEXT, sender=TEXT)
def test_no_text_breaks_a_letter(title: str, content: str, name: str, sender: str) -> None:
    message = read(LETTERHEAD.render(letter(title=title, content=content, display_name=name, sender=sender)))

    assert [address.addr_spec for address in message["To"].addresses] == ["ada@example.com"]
    assert set(message.keys()) == {
        "To", "Message-ID", "From", "Subject", "Date", "Auto-Submitted", "MIME-Version", "Content-Type",
    }  # fmt: skip
