"""Rendering a claimed delivery to the bytes of a mail (RFC 5322): plain text and HTML, folded, with CRLF.

The standard library's message objects take 3 ms a mail, too slow for a thousand a second. So the little we need is put
together here from its encoders, and the tests read it back with its parser. What all recipients of a broadcast share
is made once.
"""

import binascii
import re
from collections import OrderedDict
from email.header import Header
from email.utils import format_datetime, parseaddr, quote
from pathlib import Path

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from belfry.mail.addresses import ascii_domain
from db.queries.deliveries import Letter

__all__ = ["Letterhead"]

TEMPLATES = Path(__file__).parent / "templates"
URGENT = 5
KEPT = 32  # broadcasts are sent one after the other; the rest is a margin for languages

# "=" is always encoded in quoted-printable and ends base64, so no content can contain this.
BOUNDARY = b"=_belfry_part"

# A line end in a header would start a new one. These are all the characters anything could take for one, and the rest
# of the control characters with them.
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
PLAIN = re.compile(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?")
PHRASE = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")


class Shared(msgspec.Struct, frozen=True):
    """What a notification's mails have in common: all but the recipient and the Message-ID."""

    headers: bytes
    body: bytes


class Letterhead:
    """Everything about our mails that does not depend on the notification, and the last few it was asked for."""

    def __init__(self, *, mail_from: str, public_url: str) -> None:
        name, address = parseaddr(mail_from)
        self.domain = address.rpartition("@")[2] or "localhost"
        self._from = b"From: " + mailbox("From", name, address)
        self._public_url = public_url
        templates = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=select_autoescape(("html.jinja",)),  # and not the text part
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._text = templates.get_template("letter.txt.jinja")
        self._html = templates.get_template("letter.html.jinja")
        self._shared: OrderedDict[tuple[int, str], Shared] = OrderedDict()

    def message_id(self, delivery_id: int) -> str:
        """The same for every try, so that a mail sent twice can be recognised."""
        return f"<delivery.{delivery_id}@{self.domain}>"

    def render(self, letter: Letter) -> bytes:
        shared = self._shared_by(letter)
        own = b"\r\n".join(
            (
                b"To: " + mailbox("To", letter.display_name, letter.email),
                b"Message-ID: " + self.message_id(letter.id).encode(),
                b"",
            )
        )
        return own + shared.headers + shared.body

    def _shared_by(self, letter: Letter) -> Shared:
        if not letter.broadcast:
            return self._build(letter)
        key = letter.notification_id, letter.language
        shared = self._shared.get(key)
        if shared is None:
            shared = self._shared[key] = self._build(letter)
            if len(self._shared) > KEPT:
                self._shared.popitem(last=False)
        return shared

    def _build(self, letter: Letter) -> Shared:
        given = {
            "title": letter.title,
            "content": letter.content,
            "paragraphs": paragraphs(letter.content),
            "link": letter.link,
            "tags": letter.tags,
            "sender": letter.sender,
            "urgent": letter.priority >= URGENT,
            "language": letter.language,
            "public_url": self._public_url,
        }
        headers = [
            self._from,
            b"Subject: " + unstructured("Subject", letter.title),
            b"Date: " + format_datetime(letter.created_at).encode(),
            b"Auto-Submitted: auto-generated",  # RFC 3834: out-of-office replies stay away
        ]
        if letter.broadcast:
            headers.append(f"List-Id: Belfry broadcasts <broadcasts.{self.domain}>".encode())
        if letter.priority >= URGENT:
            headers.append(b"Importance: high")
        headers += [
            b"MIME-Version: 1.0",
            b'Content-Type: multipart/alternative; boundary="' + BOUNDARY + b'"',
            b"",
            b"",
        ]
        parts = (
            part("plain", self._text.render(given)),
            part("html", self._html.render(given)),
            b"--" + BOUNDARY + b"--\r\n",
        )
        return Shared(headers=b"\r\n".join(headers), body=b"".join(parts))


def part(subtype: str, text: str) -> bytes:
    """One MIME part: quoted-printable where that is mostly readable, otherwise base64."""
    raw = b"\r\n".join(text.encode("utf-8", "replace").splitlines()) + b"\r\n"
    if 6 * len(raw) > 7 * len(text):
        encoding, encoded = b"base64", base64_lines(raw)
    else:
        encoding, encoded = b"quoted-printable", binascii.b2a_qp(raw, istext=True)
    return (
        b"--%b\r\nContent-Type: text/%b; charset=utf-8\r\nContent-Transfer-Encoding: %b\r\n\r\n%b\r\n"
        % (BOUNDARY, subtype.encode(), encoding, encoded)
    )  # fmt: skip


def base64_lines(raw: bytes) -> bytes:
    return b"\r\n".join(binascii.b2a_base64(raw[at : at + 57], newline=False) for at in range(0, len(raw), 57))


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
