"""What a decoder found wrong, in words for whoever sent it: msgspec speaks to programmers, of types and patterns."""

import re
from collections.abc import Callable

from belfry.errors import FieldError
from belfry.intake.fields import MEANING

PATH = re.compile(r"^(?P<what>.*) - at `\$(?P<path>.*)`$", re.DOTALL)
UNNAMED = re.compile(r" - at `\$?\[\.\.\.\]`$")
NAMED = re.compile(r"Object (?P<what>contains unknown|missing required) field `(?P<field>.*)`", re.DOTALL)
PATTERN = re.compile(r"Expected `str` matching regex (?P<pattern>.*)", re.DOTALL)

TYPES = {
    "str": "text",
    "int": "a whole number",
    "float": "a number with decimals",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
    "datetime": "a date and time",
}
WORDS: list[tuple[re.Pattern[str], Callable[[re.Match[str]], str]]] = [
    (PATTERN, lambda found: MEANING.get(found["pattern"].strip("'\""), "is not of the expected form")),
    (re.compile(r"Expected `(?:str|array)` of length >= 1"), lambda _: "must not be empty"),
    (re.compile(r"Expected `str` of length >= (\d+)"), lambda found: f"must have at least {found[1]} characters"),
    (re.compile(r"Expected `str` of length <= (\d+)"), lambda found: f"must have at most {found[1]} characters"),
    (re.compile(r"Expected `array` of length >= (\d+)"), lambda found: f"must have at least {found[1]} entries"),
    (re.compile(r"Expected `array` of length <= (\d+)"), lambda found: f"must have at most {found[1]} entries"),
    (re.compile(r"Expected `int` >= (-?\d+)"), lambda found: f"must be at least {found[1]}"),
    (re.compile(r"Expected `int` <= (-?\d+)"), lambda found: f"must be at most {found[1]}"),
    (
        re.compile(r"Expected `datetime` with a timezone component|Invalid RFC3339 encoded datetime"),
        lambda _: "expected a date and time with its offset from UTC, as in 2026-03-14T18:00:00+01:00",
    ),
    (re.compile(r"Expected `(.*)`, got `(.*)`"), lambda found: f"expected {_types(found[1])}, not {_types(found[2])}"),
    (re.compile(r"Invalid enum value .*", re.DOTALL), lambda _: "is not one of the values this field can have"),
    (re.compile(r"Integer value out of range"), lambda _: "the number is too large"),
]


def field_error(message: str, whole: str) -> FieldError:
    """Turn "Expected `int`, got `str` - at `$.a.b`" into a field, or the whole, and what was expected of it."""
    found = PATH.match(message)
    what, path = (found["what"], found["path"].lstrip(".")) if found else (message, "")
    if named := NAMED.fullmatch(what):
        path = ".".join(filter(None, (path, named["field"])))
        what = "this field is not known" if "unknown" in named["what"] else "this field is required"
    return FieldError(path or whole, plain(what))


def plain(what: str) -> str:
    """One complaint of msgspec, without its path, in plain words."""
    return next((say(found) for pattern, say in WORDS if (found := pattern.fullmatch(what))), what)


def not_json(message: str) -> str:
    """What keeps a body from being JSON. The decoder does not say where a number that is too large stands."""
    return UNNAMED.sub("", message).removeprefix("JSON is malformed: ")


def _types(names: str) -> str:
    return " or ".join(TYPES.get(name, name) for name in names.split(" | "))
