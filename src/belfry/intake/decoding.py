"""The one decoder at the edge: what gets past it is JSON of the declared type, in text that can be stored."""

from typing import Any

import msgspec

from belfry.errors import BadInput, FieldError, Malformed
from belfry.intake.wording import field_error, not_json


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
        raise Malformed(f"The body is not JSON: {not_json(str(error))}.") from None
    except RecursionError:
        raise Malformed("The body is nested too deeply.") from None
    return convert(value, kind)


def convert(value: Any, kind: Any, *, name: str = "body") -> Any:
    """Check what JSON was decoded to; `name` is what the whole of it is called. Raises `BadInput` as `decode` does."""
    if (path := _unstorable(value)) is not None:
        raise BadInput(FieldError(path or name, "contains the character U+0000, which cannot be stored"))
    try:
        return msgspec.convert(value, kind, strict=True)
    except msgspec.ValidationError as error:
        raise BadInput(field_error(str(error), name)) from None


def _unstorable(body: Any) -> str | None:
    """The path of a text with a NUL, which PostgreSQL refuses; without recursion, for a body may be nested deeply."""
    waiting = [("", body)]
    while waiting:
        path, value = waiting.pop()
        match value:
            case str() if "\0" in value:
                return path
            case dict():
                for key, child in value.items():
                    if "\0" in key:
                        return path
                    waiting.append((f"{path}.{key}" if path else key, child))
            case list():
                waiting.extend((f"{path}[{index}]", child) for index, child in enumerate(value))
    return None
