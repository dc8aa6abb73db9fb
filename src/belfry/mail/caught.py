"""The mail that `belfry up` caught instead of sending it: a Maildir, read back as mails."""

import os
from contextlib import suppress
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from pathlib import Path

import msgspec


class CaughtMail(msgspec.Struct, frozen=True, kw_only=True):
    """`to` is who the mail was handed in for, whatever its headers say. A body it does not have is empty.

    `id` is its file's name.
    """

    id: str
    to: str
    subject: str
    message_id: str
    text: str
    html: str
    received_at: datetime


def caught(directory: Path, *, limit: int = 1_000) -> list[CaughtMail]:
    """The mails in a Maildir, newest first.

    A mail appears in `new/` only when it is whole, but it may disappear between our listing and our reading it:
    then it is left out.
    """
    mails = []
    for received, path in newest(directory)[:limit]:
        with suppress(FileNotFoundError):
            mails.append(_mail(path.name, _parsed(path.read_bytes()), received))
    return mails


def source(directory: Path, name: str) -> bytes | None:
    """A mail as it was handed in; None if there is none of this name. A name is looked up, and never becomes a path."""
    path = next((path for _, path in newest(directory) if path.name == name), None)
    if path is None:
        return None
    with suppress(FileNotFoundError):
        return path.read_bytes()
    return None


def page(mail: bytes) -> str:
    """What a mail has to show, as HTML; empty if it is all text."""
    return _body(_parsed(mail), "html")


def _parsed(mail: bytes) -> EmailMessage:
    return BytesParser(EmailMessage, policy=default).parsebytes(mail)


def newest(directory: Path) -> list[tuple[float, Path]]:
    """When each mail arrived, as seconds since 1970, and its file; newest first."""
    found = []
    try:
        with os.scandir(directory / "new") as entries:
            for entry in entries:
                try:
                    found.append((entry.stat().st_mtime, Path(entry.path)))
                except FileNotFoundError:
                    continue
    except FileNotFoundError:  # nothing was ever caught here
        return []
    return sorted(found, reverse=True)


def _mail(name: str, message: EmailMessage, received: float) -> CaughtMail:
    return CaughtMail(
        id=name,
        to=_header(message, "X-RcptTo") or _header(message, "To"),
        subject=_header(message, "Subject"),
        message_id=_header(message, "Message-ID").strip(),
        text=_body(message, "plain"),
        html=_body(message, "html"),
        received_at=datetime.fromtimestamp(received, UTC),
    )


def _header(message: EmailMessage, name: str) -> str:
    """A header's text. Not `message[name]`: for some malformed ones that raises IndexError."""
    for key, value in message.raw_items():
        if key.lower() == name.lower():
            text = "".join(str(value).encode(errors="surrogateescape").decode(errors="replace").splitlines())
            try:
                return str(make_header(decode_header(text)))
            except (LookupError, UnicodeError, HeaderParseError):
                return text
    return ""


def _body(message: EmailMessage, kind: str) -> str:
    part = message.get_body(preferencelist=(kind,))
    if part is None:
        return ""
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)
    try:
        return payload.decode(part.get_content_charset("utf-8"), errors="replace")
    except LookupError:  # a charset nobody has heard of
        return payload.decode("utf-8", errors="replace")
