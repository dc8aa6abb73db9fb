"""The types of what requests and jobs carry, with their limits. OpenAPI shows them as they are here."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Literal
from zoneinfo import available_timezones

import msgspec
from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email
from msgspec import Meta

from belfry.accounts import passwords
from belfry.errors import BadInput, FieldError
from db.models import Channel
from db.queries.paging import LARGEST_ID

SPECIAL_USE_DOMAIN_NAMES.clear()  # .local, .test and the like are good addresses where Belfry is at home

LONGEST_ADDRESS = 254
LONGEST_KEY = 255  # of a request that may be repeated
MANY = 1_000  # ids or recipients in one request

END = r"(?![\s\S])"  # `$` would let a last line break through; `\Z` is unknown to the readers of our OpenAPI document
CONTROL = r"\x00-\x1f\x7f-\x9f\u2028\u2029"
ONE_LINE = rf"^[^{CONTROL}]*[^\s{CONTROL}][^{CONTROL}]*{END}"
LINES = rf"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*{END}"
WORD = rf"^[^\s\x00-\x1f\x7f,]+{END}"
WEB_ADDRESS = rf"^[Hh][Tt][Tt][Pp][Ss]?://[^\s/?#\\\x00-\x1f\x7f][^\s\x00-\x1f\x7f]*{END}"
KEY = rf"^[\x21-\x7e]+{END}"
STORABLE = rf"^[^\x00]*{END}"  # as any parameter must be; who asks is found out first, and so is this
ADDRESS = rf"^[^\s@\x00-\x1f\x7f]+@[^\s@\x00-\x1f\x7f]+{END}"


def _pattern_in(error: msgspec.ValidationError) -> str:
    return str(error).partition("matching regex ")[2].strip("'\"")


def _as_shown(pattern: str) -> str:
    """A pattern as it appears in msgspec's message."""
    try:
        msgspec.convert("\0\n", Annotated[str, Meta(pattern=pattern)])
    except msgspec.ValidationError as error:
        return _pattern_in(error)
    raise AssertionError(pattern)


MEANING = {
    _as_shown(pattern): meaning
    for pattern, meaning in {
        ONE_LINE: "expected one line of text that is not blank, without control characters",
        LINES: "expected text without control characters",
        WORD: "expected a word without spaces, commas or control characters",
        WEB_ADDRESS: "expected an http:// or https:// address",
        ADDRESS: "expected an e-mail address",
        KEY: "expected visible ASCII characters without spaces",
    }.items()
}

Id = Annotated[int, Meta(ge=1, le=LARGEST_ID)]
Email = Annotated[str, Meta(min_length=3, max_length=LONGEST_ADDRESS, pattern=ADDRESS, examples=["ada@example.com"])]
Password = Annotated[
    str,
    Meta(min_length=passwords.SHORTEST, max_length=passwords.LONGEST, examples=["correct horse battery staple"]),
]
GivenPassword = Annotated[str, Meta(min_length=1, max_length=1_024, examples=["correct horse battery staple"])]
LinkToken = Annotated[str, Meta(min_length=1, max_length=100, description="What stands last in the link of a mail")]
Language = Annotated[Literal["en", "zh-Hans"], Meta(description="Of mails: those that they are written in")]
Name = Annotated[str, Meta(min_length=1, max_length=100, pattern=ONE_LINE, examples=["Ada Lovelace"])]
Title = Annotated[str, Meta(min_length=1, max_length=255, pattern=ONE_LINE, examples=["Build passed"])]
Content = Annotated[str, Meta(max_length=20_000, pattern=LINES, examples=["All 412 tests are green."])]
Link = Annotated[str, Meta(max_length=2_048, pattern=WEB_ADDRESS, examples=["https://ci.example.com/builds/7"])]
Priority = Annotated[int, Meta(ge=1, le=5, description="5 alerts at once, 1 never alerts")]
Tags = Annotated[list[Annotated[str, Meta(min_length=1, max_length=50, pattern=WORD)]], Meta(max_length=20)]
Channels = Annotated[list[Channel], Meta(min_length=1, max_length=3)]
Recipient = Id | Email
Moment = Annotated[datetime, Meta(tz=True, examples=["2026-03-14T18:00:00+01:00"])]
TimeZone = Annotated[str, Meta(min_length=1, max_length=64, examples=["Europe/Berlin"])]
Key = Annotated[str, Meta(min_length=1, max_length=LONGEST_KEY, pattern=KEY, examples=["nightly-2026-11-22"])]
Ids = Annotated[list[Id], Meta(min_length=1, max_length=MANY, examples=[[41, 42]])]


def address(field: str, value: str) -> str:
    """The normalized form of an e-mail address. Raises `BadInput`."""
    try:
        return validate_email(value, check_deliverability=False, globally_deliverable=False, strict=True).normalized
    except EmailNotValidError as error:
        raise BadInput(FieldError(field, f"expected an e-mail address. {error}")) from None


def display_name(field: str, value: str) -> str:
    """A name as others see it, or none. Raises `BadInput`."""
    try:
        return msgspec.convert(value, Name) if value else ""
    except msgspec.ValidationError as error:
        raise BadInput(FieldError(field, MEANING.get(_pattern_in(error), "expected at most 100 characters"))) from None


def known_time_zone(field: str, value: str) -> None:
    """Raises `BadInput` unless there is such a time zone."""
    if value not in _time_zones():
        raise BadInput(FieldError(field, "expected the name of an IANA time zone, such as Europe/Berlin"))


@lru_cache(1)
def _time_zones() -> set[str]:
    return available_timezones()


def utc(field: str, value: datetime) -> datetime:
    """The same moment in UTC, which the years of a date can hold. Raises `BadInput`."""
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise BadInput(FieldError(field, "expected a moment in the years 1 to 9999, in UTC")) from None


class Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request body: unknown fields are refused, so that a typo is an error and not a surprise."""
