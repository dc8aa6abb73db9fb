"""Rendering a claimed delivery to the bytes of a mail (RFC 5322): plain text and HTML, folded, with CRLF.

The standard library's message objects take 3 ms a mail, too slow for a thousand a second. So the little we need is put
together here from its encoders, and the tests read it back with its parser. What all recipients of a broadcast share
is made once, and all but its end is encoded once: the end holds the link by which one recipient unsubscribes.
"""

import binascii
import re
from collections import OrderedDict
from email.header import Header
from email.utils import format_datetime, parseaddr, quote
from enum import StrEnum
from html import escape
from pathlib import Path
from typing import Any

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from belfry.accounts.links import PAGES, OneTimeLinks, Seeded
from belfry.mail.addresses import ascii_domain
from belfry.mail.phrases import Phrases, local, phrases
from belfry.mail.security_phrases import says
from belfry.mail.unsubscribe import UnsubscribeLinks
from db.models import MailKind, Scope
from db.queries.deliveries import Letter

__all__ = ["Letterhead"]

TEMPLATES = Path(__file__).parent / "templates"
URGENT = 5
KEPT = 100  # broadcasts are sent one after the other; each has a version a language and a clock

# A name in another script must not turn the words around it.
ISOLATED = Markup("<bdi>{}</bdi>")

# What a mail may have, and need not.
NOTHING_ELSE: dict[str, Any] = {
    "note": None,
    "here": None,
    "tags": [],
    "sender": None,
    "urgent": False,
    "unsubscribe": None,
}

# Where the recipient's own link goes. PostgreSQL holds no such character, so no content can contain it.
LINK = "\0"

LONGEST_LINE = 600  # of the 998 bytes that RFC 5322, 2.1.1 allows; a link may come into it

# "=" is always encoded in quoted-printable and ends base64: neither can contain this. What is sent as it is must not.
BOUNDARY = b"=_belfry_part"
BASE64_LINE = 57  # bytes of content, which become 76

# A line end in a header would start a new one. These are all the characters anything could take for one, and the rest
# of the control characters with them.
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
PLAIN = re.compile(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?")
PHRASE = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")


class Encoding(StrEnum):
    """How content travels (RFC 2045, section 6)."""

    AS_IS = "7bit"
    QUOTED_PRINTABLE = "quoted-printable"
    BASE64 = "base64"


class Part(msgspec.Struct, frozen=True):
    """A MIME part: what is encoded already, and with a recipient's link in it, the rest that is not."""

    encoded: bytes
    rest: bytes
    encoding: Encoding

    def with_link(self, url: str) -> bytes:
        if not self.rest:
            return self.encoded
        return self.encoded + _encode(self.rest.replace(LINK.encode(), url.encode()), self.encoding) + b"\r\n"


class Shared(msgspec.Struct, frozen=True):
    """What a notification's mails have in common: all but the recipient, the Message-ID and the link to unsubscribe."""

    headers: bytes
    text: Part
    html: Part


class Letterhead:
    """Everything about our mails that does not depend on the notification, and the last few it was asked for."""

    def __init__(self, *, mail_from: str, public_url: str, links: UnsubscribeLinks, one_time: OneTimeLinks) -> None:
        name, address = parseaddr(mail_from)
        self._domain = ascii_domain(address).rpartition("@")[2] or "localhost"
        self._from = b"From: " + mailbox("From", name, address)
        self._public_url = public_url.rstrip("/")
        self._links = links
        self._one_time = one_time
        templates = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=select_autoescape(("html.jinja",)),  # and not the text part
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._text = templates.get_template("letter.txt.jinja")
        self._html = templates.get_template("letter.html.jinja")
        self._shared: OrderedDict[tuple[int | None, str, str], Shared] = OrderedDict()

    def message_id(self, letter: Letter) -> str:
        """The same for every try, so that a mail sent twice can be recognised; and never that of another database."""
        return f"<delivery.{letter.id}.{letter.installation.hex}@{self._domain}>"

    def render(self, letter: Letter) -> bytes:
        words = phrases(letter.language)
        shared = self._shared_by(letter, words)
        own = [
            b"To: " + mailbox("To", letter.display_name, letter.email),
            b"Message-ID: " + self.message_id(letter).encode(),
        ]
        url = ""
        if letter.broadcast and letter.user_id is not None:
            url = self._links.url(letter.user_id, Scope.BROADCASTS)
            own += [f"List-Unsubscribe: <{url}>".encode(), b"List-Unsubscribe-Post: List-Unsubscribe=One-Click"]
        body = shared.text.with_link(url) + shared.html.with_link(escape(url))
        return b"\r\n".join((*own, shared.headers)) + body + b"--" + BOUNDARY + b"--\r\n"

    def _shared_by(self, letter: Letter, words: Phrases) -> Shared:
        written = words.written(local(letter.created_at, letter.time_zone))
        if letter.kind is not None:
            return self._build_security(letter, letter.kind, words, written)
        if not letter.broadcast:
            return self._build(letter, words, written)
        key = letter.notification_id, words.code, written
        shared = self._shared.get(key)
        if shared is None:
            shared = self._shared[key] = self._build(letter, words, written)
            if len(self._shared) > KEPT:
                self._shared.popitem(last=False)
        return shared

    def _build(self, letter: Letter, words: Phrases, written: str) -> Shared:
        given = {
            "title": letter.title,
            "content": letter.content,
            "link": letter.link,
            "label": words.open,
            "here": f"{self._public_url}/#/n/{letter.notification_id}" if letter.listed else None,
            "tags": letter.tags,
            "sender": words.through.format(sender=letter.sender) if letter.sender else None,
            "sender_html": Markup(words.through).format(sender=ISOLATED.format(letter.sender)),  # noqa: S704  # our words
            "urgent": letter.priority >= URGENT,
            "unsubscribe": LINK if letter.broadcast else None,
        }
        return self._typeset(letter, words, given | {"written": written})

    def _build_security(self, letter: Letter, kind: MailKind, words: Phrases, written: str) -> Shared:
        until = words.written(local(letter.expires_at, letter.time_zone)) if letter.expires_at else ""
        said = says(kind, words, until=until, at=written, inviter=letter.sender)
        link = self._public_url
        if letter.seed is not None and letter.token_hash is not None:
            link += f"/#/{PAGES[kind]}/{self._one_time.token(Seeded(letter.seed, letter.token_hash))}"
        given = {"title": said.title, "content": said.text, "link": link, "label": said.button, "note": said.note}
        return self._typeset(letter, words, given | {"written": written})

    def _typeset(self, letter: Letter, words: Phrases, said: dict[str, Any]) -> Shared:
        given = NOTHING_ELSE | said | {"words": words, "paragraphs": paragraphs(said["content"])}
        given["public_url"] = self._public_url
        headers = [
            self._from,
            b"Subject: " + unstructured("Subject", said["title"]),
            b"Date: " + format_datetime(letter.created_at).encode(),
            b"Auto-Submitted: auto-generated",  # RFC 3834: out-of-office replies stay away
        ]
        if letter.broadcast:
            headers.append(f"List-Id: Belfry broadcasts <broadcasts.{self._domain}>".encode())
        if given["urgent"]:
            headers.append(b"Importance: high")
        headers += [
            b"MIME-Version: 1.0",
            b'Content-Type: multipart/alternative; boundary="' + BOUNDARY + b'"',
            b"",
            b"",
        ]
        return Shared(
            headers=b"\r\n".join(headers),
            text=part("plain", self._text.render(given)),
            html=part("html", self._html.render(given)),
        )


def part(subtype: str, text: str) -> Part:
    """One MIME part: as it is if any relay takes it so, quoted-printable where mostly readable, otherwise base64."""
    lines = text.encode("utf-8", "replace").splitlines()
    raw = b"\r\n".join(lines) + b"\r\n"
    if raw.isascii() and BOUNDARY not in raw and max(map(len, lines), default=0) <= LONGEST_LINE:
        encoding = Encoding.AS_IS
    else:
        encoding = Encoding.BASE64 if 6 * len(raw) > 7 * len(text) else Encoding.QUOTED_PRINTABLE
    head = (
        b"--%b\r\nContent-Type: text/%b; charset=utf-8\r\nContent-Transfer-Encoding: %b\r\n\r\n"
        % (BOUNDARY, subtype.encode(), encoding.encode())
    )  # fmt: skip
    link = raw.find(LINK.encode())
    if link < 0:
        return Part(head + _encode(raw, encoding) + b"\r\n", b"", encoding)
    # every encoding goes on after a whole line as if nothing had been before
    base64 = encoding is Encoding.BASE64
    whole = link // BASE64_LINE * BASE64_LINE if base64 else raw.rfind(b"\r\n", 0, link) + 2
    begin = _encode(raw[:whole], encoding) + (b"\r\n" if base64 else b"") if whole else b""
    return Part(head + begin, raw[whole:], encoding)


def _encode(raw: bytes, encoding: Encoding) -> bytes:
    match encoding:
        case Encoding.AS_IS:
            return raw
        case Encoding.BASE64:
            return base64_lines(raw)
        case Encoding.QUOTED_PRINTABLE:
            return binascii.b2a_qp(raw, istext=True)


def base64_lines(raw: bytes) -> bytes:
    return b"\r\n".join(
        binascii.b2a_base64(raw[at : at + BASE64_LINE], newline=False) for at in range(0, len(raw), BASE64_LINE)
    )


def unstructured(name: str, text: str) -> bytes:
    """A header's text, as it is if it fits and means itself, otherwise in encoded words (RFC 2047)."""
    text = CONTROL.sub(" ", text)
    if len(text) <= 78 - len(name) - 2 and PLAIN.fullmatch(text) and "=?" not in text:
        return text.encode()
    return Header(text, "utf-8", header_name=name, maxlinelen=76).encode(linesep="\r\n").encode()


def mailbox(name: str, display_name: str, address: str) -> bytes:
    """`Ada Lovelace <ada@example.com>`. An address outside ASCII stays UTF-8 (RFC 6532), for relays with SMTPUTF8."""
    display_name = CONTROL.sub(" ", display_name).strip()
    spec = f"<{ascii_domain(CONTROL.sub('', address))}>".encode()
    if not display_name:
        return spec
    if len(display_name) <= 60 and PLAIN.fullmatch(display_name) and "=?" not in display_name:
        return (display_name if PHRASE.fullmatch(display_name) else f'"{quote(display_name)}"').encode() + b" " + spec
    phrase = Header(display_name, "utf-8", header_name=name, maxlinelen=76).encode(linesep="\r\n").encode()
    return phrase + b"\r\n " + spec


def paragraphs(content: str) -> list[list[str]]:
    """Plain text as paragraphs of lines."""
    return [block.splitlines() for block in re.split(r"\n\s*\n", content.replace("\r\n", "\n")) if block.strip()]
