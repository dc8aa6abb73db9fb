"""The one decoder at the edge: what gets past it is JSON of the declared type, in text that can be stored."""

import re
from typing import Any

import msgspec
from litestar import Request
from litestar.datastructures import State

from belfry.errors import BadInput, FieldError, Malformed, Problem
from belfry.web.fields import MEANING
from db.queries.sessions import Principal

PATH = re.compile(r"^(?P<what>.*) - at `\$(?P<path>.*)`$", re.DOTALL)
NAMED = re.compile(r"(?P<what>Object (?:contains unknown|missing required) field) `(?P<field>.*)`", re.DOTALL)
PATTERN = re.compile(r"matching regex (?P<pattern>.*)$", re.DOTALL)


class UnsupportedMediaType(Problem):
    status = 415
    title = "Unsupported media type"


class Call(Request[Principal, None, State]):
    """A request whose body is decoded strictly: no coercion, no unknown fields, no text that cannot be stored.

    Litestar alone would parse JSON whatever the content type and coerce `"3"` to 3.
    """

    async def json(self) -> Any:
        if self.content_type[0] != "application/json":
            raise UnsupportedMediaType("The body must be JSON, sent with the content type application/json.")
        field = self.route_handler.parsed_data_field
        return decode(await self.body(), field.annotation if field else Any)


def decode(body: bytes, kind: Any) -> Any:
    """Decode a body as the given type.

    Raises:
        Malformed: not UTF-8, not JSON, or nested absurdly.
        BadInput: JSON, but not of this type; names the fields.
    """
    try:
        value = msgspec.json.decode(body.decode("utf-8"))
    except UnicodeDecodeError:
        raise Malformed("The body is not UTF-8.") from None
    except msgspec.DecodeError as error:
        raise Malformed(f"The body is not JSON: {error}.") from None
    except RecursionError:
        raise Malformed("The body is nested too deeply.") from None
    if (path := _unstorable(value, "")) is not None:
        raise BadInput(FieldError(path or "body", "contains the character U+0000, which cannot be stored"))
    try:
        return msgspec.convert(value, kind, strict=True)
    except msgspec.ValidationError as error:
        raise BadInput(field_error(str(error))) from None


def field_error(message: str) -> FieldError:
    """Say what msgspec says - "Expected `int`, got `str` - at `$.a.b`" - as a field and what was expected of it."""
    found = PATH.match(message)
    what, path = (found["what"], found["path"].lstrip(".")) if found else (message, "")
    if named := NAMED.fullmatch(what):
        path = ".".join(filter(None, (path, named["field"])))
        what = "this field is not known" if "unknown" in named["what"] else "this field is required"
    elif pattern := PATTERN.search(what):
        what = MEANING.get(pattern["pattern"].strip("'\""), what)
    return FieldError(path or "body", what)


def _unstorable(value: Any, path: str) -> str | None:
    """The path of the first text with a NUL, which PostgreSQL refuses."""
    match value:
        case str():
            return path if "\0" in value else None
        case dict():
            inside = ((child, f"{path}.{key}" if path else key, key) for key, child in value.items())
            return next(
                (p for child, where, key in inside if (p := where if "\0" in key else _unstorable(child, where))), None
            )
        case list():
            each = ((child, f"{path}[{index}]") for index, child in enumerate(value))
            return next((found for child, where in each if (found := _unstorable(child, where))), None)
    return None
