"""In which language a caller is answered, and how what we say reads in it.

What we say is decided in English, where it happens. Here, where it leaves, its sentence is looked for among those that
have a Chinese one: the same way serves what was written into the database before anybody asked.
"""

import re
from collections.abc import Iterable
from string import Formatter
from typing import Any, TypeVar

import msgspec
from litestar.connection import ASGIConnection

from belfry.errors import FieldError
from belfry.mail.phrases import phrases
from belfry.web.chinese import CHINESE

__all__ = ["asked", "preferred", "retold", "said", "together"]

T = TypeVar("T", bound=msgspec.Struct)

ENGLISH = phrases("en").code
SPOKEN = ("en", "zh", "*")
RANGE = re.compile(r"([a-z]{1,8}(?:-[a-z0-9]{1,8})*|\*)(?:\s*;\s*q=([01](?:\.[0-9]{0,3})?))?", re.IGNORECASE)

LONGEST = 1_000
"""Characters. What is longer holds what a stranger sent, and could keep a pattern busy for seconds (CWE-1333)."""

OURS = {"done", "expected", "given", "one", "other", "part", "role", "roles", "scopes", "thing", "variables"}
"""What is filled in under these names are words of ours too, or lists of them."""
JOINTS = {" or ": " 或 ", " and ": " 和 "}
BETWEEN_CHINESE = re.compile(r"(?<=[\u4e00-\u9fff]) (?=[\u4e00-\u9fff])")


def asked(request: ASGIConnection[Any, Any, Any, Any]) -> str:
    """The language that a request asks to be answered in."""
    return preferred(request.headers.get("accept-language", ""))


def preferred(accepted: str) -> str:
    """The language of ours that a header Accept-Language (RFC 9110, 12.5.4) likes best: a BCP 47 tag; else English."""
    best, most = ENGLISH, 0.0
    for each in accepted.split(","):
        found = RANGE.fullmatch(each.strip())
        if found is None or found[1].lower().partition("-")[0] not in SPOKEN:
            continue
        if (weight := float(found[2] or 1)) > most:
            best, most = found[1], weight
    return phrases(best).code


def said(text: str, language: str) -> str:
    """A sentence of ours in a language. The words of others stay as they are."""
    return text if language == ENGLISH else _chinese(text)


def retold(told: T, language: str, *names: str) -> T:
    """A struct, with the sentences that stand in these of its fields in a language."""
    sentences = {name: getattr(told, name) for name in names}
    return msgspec.structs.replace(told, **{name: text and said(text, language) for name, text in sentences.items()})


def together(errors: Iterable[FieldError], language: str) -> str:
    """What is said of some fields, in one line."""
    between, after = ("; ", ": ") if language == ENGLISH else ("；", "：")  # noqa: RUF001
    return between.join(f"{error.field}{after}{error.message}" for error in errors)


def _chinese(text: str) -> str:
    if text in CHINESE:
        return CHINESE[text]
    if len(text) > LONGEST:
        return text
    for pattern, chinese in TEMPLATES:
        if (found := pattern.fullmatch(text)) is not None:
            values = found.groupdict()
            return chinese.format_map(values | {name: _listed(values[name]) for name in OURS & values.keys()})
    return text


def _listed(words: str) -> str:
    """One of our words, or some of them with "or" or "and" between them."""
    if words in CHINESE:
        return CHINESE[words]
    parts = re.split("( or | and )", words)
    return BETWEEN_CHINESE.sub("", "".join(JOINTS.get(part) or CHINESE.get(part, part) for part in parts))


def _pattern(template: str) -> re.Pattern[str]:
    """What a template looks like once it is filled in."""
    parts = (re.escape(text) + (f"(?P<{name}>.*?)" if name else "") for text, name, _, _ in Formatter().parse(template))
    return re.compile("".join(parts), re.DOTALL)


# The longest first: "must be at most {most}" fits what "must be at most {days} days ahead" says, too.
TEMPLATES = [(_pattern(each), CHINESE[each]) for each in sorted(CHINESE, key=len, reverse=True) if "{" in each]
