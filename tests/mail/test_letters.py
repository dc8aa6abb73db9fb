from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from html.parser import HTMLParser
from itertools import count
from uuid import UUID, uuid4

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from belfry.accounts.links import PAGES, OneTimeLinks, Seeded
from belfry.mail.addresses import PLAIN, ascii_domain, is_plain
from belfry.mail.letters import Letterhead
from belfry.mail.unsubscribe import UnsubscribeLinks
from db.models import MailKind, Scope
from db.queries.deliveries import Letter

PUBLIC_URL = "https://belfry.example.org"
ONE_TIME = OneTimeLinks("0123456789abcdef0123456789abcdef")
LINKS = UnsubscribeLinks("0123456789abcdef0123456789abcdef", public_url=PUBLIC_URL)
LETTERHEAD = Letterhead(mail_from="Belfry <belfry@example.org>", public_url=PUBLIC_URL, links=LINKS, one_time=ONE_TIME)

LETTER = Letter(
    id=17,
    lease_token=uuid4(),
    attempt=1,
    unwanted=None,
    suppression=None,
    installation=UUID("7f8a1b2c-3d4e-4f60-9182-a3b4c5d6e7f8"),
    notification_id=4,
    broadcast=False,
    listed=True,
    user_id=9,
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

NUMBERS = count(1_000)  # of notifications; a letterhead remembers the last ones it rendered

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


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str | None] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.found.append(dict(attrs)["href"])


def links_of(message: EmailMessage) -> list[str | None]:
    """Where the links of the HTML part lead, as a browser reads it."""
    links = Links()
    links.feed(body(message, "html"))
    return links.found


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
    assert message["Message-ID"] == "<delivery.17.7f8a1b2c3d4e4f609182a3b4c5d6e7f8@example.org>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert {"List-Id", "List-Unsubscribe", "List-Unsubscribe-Post"}.isdisjoint(message.keys())
    assert message.get_content_type() == "multipart/alternative"
    assert body(message, "plain") == (
        "Build passed\n\nAll green.\n\nhttps://ci.example.com/?run=4&branch=main\n\n"
        "-- \nCharles, through Belfry\nMonday, 4 May 2026, 12:30 (UTC)\n"
        "Show in Belfry: https://belfry.example.org/#/n/4\n"
    )
    assert links_of(message) == [LETTER.link, "https://belfry.example.org/#/n/4", "https://belfry.example.org"]


def test_every_try_gives_the_same_bytes() -> None:
    assert LETTERHEAD.render(letter(attempt=2, lease_token=uuid4())) == LETTERHEAD.render(LETTER)


@pytest.mark.parametrize("content", ["All green.", "Обновление ночью. " * 40, "", "a" * 2000])
@pytest.mark.parametrize("title", ["Maintenance", "今晚维护"])
def test_recipients_of_a_broadcast_share_all_but_what_names_them(title: str, content: str) -> None:
    shared = letter(broadcast=True, notification_id=next(NUMBERS), title=title, content=content)
    people = [(9, "ada@example.com", "Ada Lovelace"), (123_456_789, "bob@example.com", ""), (10, "eve@example.com", "")]
    mails = []
    for user_id, email, name in people:
        own = msgspec.structs.replace(shared, id=user_id, user_id=user_id, email=email, display_name=name)
        mail = read(LETTERHEAD.render(own))
        url = LINKS.url(user_id, Scope.BROADCASTS)
        assert mail["To"].addresses[0].addr_spec == email
        assert mail["List-Id"] == "Belfry broadcasts <broadcasts.example.org>"
        assert mail["List-Unsubscribe"] == f"<{url}>"
        assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert links_of(mail)[-1] == url
        assert f"\n{url}\n" in body(mail, "plain")
        assert LINKS.read(url.rpartition("/")[2]) == (user_id, Scope.BROADCASTS)
        mails.append({kind: body(mail, kind).replace(url, "link") for kind in ("plain", "html")})

    assert mails[0] == mails[1] == mails[2]
    assert len({mail["plain"] for mail in mails}) == 1


def test_ids_that_start_again_in_a_new_database_make_other_message_ids() -> None:
    reinstalled = letter(installation=uuid4())

    assert LETTERHEAD.message_id(reinstalled) != LETTERHEAD.message_id(LETTER)


@pytest.mark.parametrize(
    ("language", "zone", "written", "shown"),
    [
        ("en", "UTC", "Monday, 4 May 2026, 12:30 (UTC)", "Show in Belfry: "),
        ("en-GB", "America/New_York", "Monday, 4 May 2026, 08:30 (UTC-4)", "Show in Belfry: "),
        ("de", "Asia/Kolkata", "Monday, 4 May 2026, 18:00 (UTC+5:30)", "Show in Belfry: "),
        ("en", "Pacific/Auckland", "Tuesday, 5 May 2026, 00:30 (UTC+12)", "Show in Belfry: "),
        ("zh", "Asia/Shanghai", "2026年5月4日 星期一 20:30（UTC+8）", "在 Belfry 中查看: "),  # noqa: RUF001
        ("zh-CN", "no/such zone", "2026年5月4日 星期一 12:30（UTC）", "在 Belfry 中查看: "),  # noqa: RUF001
        ("en", "Europe", "Monday, 4 May 2026, 12:30 (UTC)", "Show in Belfry: "),
        ("en", "../../etc/passwd", "Monday, 4 May 2026, 12:30 (UTC)", "Show in Belfry: "),
        ("en", "", "Monday, 4 May 2026, 12:30 (UTC)", "Show in Belfry: "),
    ],
)
@pytest.mark.parametrize("broadcast", [False, True])
def test_the_reader_s_language_and_clock_are_used(
    language: str, zone: str, written: str, shown: str, broadcast: bool
) -> None:
    """A broadcast is rendered once a language and clock, and each reader gets the right one of them."""
    message = read(LETTERHEAD.render(letter(broadcast=broadcast, language=language, time_zone=zone)))

    assert f"\n{written}\n{shown}https://belfry.example.org/#/n/4\n" in body(message, "plain")
    assert written in body(message, "html")
    assert message["Date"].datetime == datetime(2026, 5, 4, 12, 30, 15, tzinfo=UTC)


def test_what_is_in_no_inbox_has_no_link_into_one() -> None:
    message = read(LETTERHEAD.render(letter(listed=False)))

    assert links_of(message) == [LETTER.link, PUBLIC_URL]
    assert "#/n/" not in body(message, "plain")


@pytest.mark.parametrize(
    ("mail_from", "shown", "domain"),
    [
        ("Глашатай <belfry@bücher.example>", "Глашатай <belfry@xn--bcher-kva.example>", "xn--bcher-kva.example"),
        ("belfry@example.org", "belfry@example.org", "example.org"),
        ('"Belfry, the bell" <belfry@example.org>', '"Belfry, the bell" <belfry@example.org>', "example.org"),
    ],
)
def test_the_sender_may_have_any_name(mail_from: str, shown: str, domain: str) -> None:
    letterhead = Letterhead(mail_from=mail_from, public_url=PUBLIC_URL, links=LINKS, one_time=ONE_TIME)
    message = read(letterhead.render(letter(broadcast=True)))

    assert message["From"] == shown
    assert message["Message-ID"].endswith(f"@{domain}>")
    assert message["List-Id"] == f"Belfry broadcasts <broadcasts.{domain}>"


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


@given(
    title=TEXT.filter(bool),
    content=TEXT,
    name=TEXT,
    sender=TEXT,
    address=st.one_of(
        TEXT, st.from_regex(PLAIN, fullmatch=True, alphabet=st.characters(codec="utf-8")), st.just("ada@example.com")
    ),
    broadcast=st.booleans(),
    urgent=st.booleans(),
)
def test_no_text_breaks_a_letter(
    title: str, content: str, name: str, sender: str, address: str, broadcast: bool, urgent: bool
) -> None:
    """Whatever it says, it has exactly the headers we meant. What is no address is never handed to a server."""
    written = letter(
        title=title,
        content=content,
        display_name=name,
        sender=sender,
        email=address if is_plain(address) else "ada@example.com",
        broadcast=broadcast,
        notification_id=next(NUMBERS),
        priority=5 if urgent else 3,
    )
    message = read(LETTERHEAD.render(written))

    # the parser shows the bytes of an address outside ASCII (RFC 6532) as surrogates
    to = [each.addr_spec.encode("utf-8", "surrogateescape").decode() for each in message["To"].addresses]
    assert to == [ascii_domain(written.email)]
    assert [each.addr_spec for each in message["From"].addresses] == ["belfry@example.org"]
    assert list(message.keys()) == [
        "To", "Message-ID", *(("List-Unsubscribe", "List-Unsubscribe-Post") if broadcast else ()), "From", "Subject",
        "Date", "Auto-Submitted", *(("List-Id",) if broadcast else ()), *(("Importance",) if urgent else ()),
        "MIME-Version", "Content-Type",
    ]  # fmt: skip
    assert [part.get_content_type() for part in message.walk()] == ["multipart/alternative", "text/plain", "text/html"]


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("All green.", "7bit"),
        ("x" * 999, "quoted-printable"),
        ("Zażółć", "quoted-printable"),
        ("--=_belfry_part--", "quoted-printable"),
        ("ビルドが成功しました" * 25, "base64"),
    ],
)
def test_a_text_goes_as_it_is_if_every_relay_takes_it_so(content: str, encoding: str) -> None:
    message = read(LETTERHEAD.render(letter(content=content)))
    part = message.get_body(("plain",))

    assert part is not None
    assert part["Content-Transfer-Encoding"] == encoding
    assert content in body(message, "plain")


def security(kind: MailKind, *, link: Seeded | None = None, **changed: object) -> Letter:
    """A mail about an account, as a worker claims it."""
    expires_at = LETTER.created_at + timedelta(hours=1) if link else None
    given = {"title": "", "content": "", "link": None, "tags": [], "sender": None, "listed": False, **changed}
    return letter(
        kind=kind,
        seed=link.seed if link else None,
        token_hash=link.token_hash if link else None,
        expires_at=expires_at,
        notification_id=None,
        **given,
    )


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
@pytest.mark.parametrize("kind", MailKind)
def test_a_mail_about_an_account_says_what_its_link_is_for_and_until_when(kind: MailKind, language: str) -> None:
    link = ONE_TIME.make() if kind in PAGES else None
    message = read(LETTERHEAD.render(security(kind, link=link, language=language, time_zone="Asia/Kolkata")))
    url = f"{PUBLIC_URL}/#/{PAGES[kind]}/{ONE_TIME.token(link)}" if link else PUBLIC_URL
    texts = [body(message, "plain"), body(message, "html")]

    assert links_of(message) == [url, PUBLIC_URL]
    assert all(url in each for each in texts)
    assert all(
        ("19:00" in each) == (link is not None) for each in texts
    )  # on the reader's clock, not the sender's 18:00
    assert "{" not in texts[0]
    assert message["Auto-Submitted"] == "auto-generated"
    assert {"List-Id", "List-Unsubscribe"}.isdisjoint(message.keys())
    assert message["Subject"].isascii() == (language == "en")


def test_an_invitation_names_who_invites_as_text() -> None:
    for sender, shown in (("<b>{until}", "&lt;b&gt;{until} invites you"), (None, "An administrator invites you")):
        message = read(LETTERHEAD.render(security(MailKind.INVITE, link=ONE_TIME.make(), sender=sender)))

        assert shown in body(message, "html")


def test_a_link_whose_key_is_gone_is_not_written() -> None:
    stranger = OneTimeLinks("f" * 32)
    letterhead = Letterhead(mail_from="b@example.org", public_url=PUBLIC_URL, links=LINKS, one_time=stranger)

    with pytest.raises(LookupError):
        letterhead.render(security(MailKind.RESET, link=ONE_TIME.make()))
