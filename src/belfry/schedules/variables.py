"""Variables in the words of a schedule: `{date}`, and `{{` for a brace that means itself."""

import re
from collections.abc import Mapping
from datetime import datetime

from belfry.errors import BadInput, FieldError

__all__ = ["fill", "values"]

PIECE = re.compile(r"\{\{|\}\}|\{(?P<name>[^{}]*)\}|[{}]")


def values(*, schedule: str, due_at: datetime, count: int) -> dict[str, str]:
    """`due_at` is in the schedule's zone, so that its date is the one on the wall there."""
    return {"date": due_at.date().isoformat(), "count": str(count), "schedule": schedule}


def fill(field: str, text: str, known: Mapping[str, str]) -> str:
    """Put the values in. Raises `BadInput`, naming the field, for a variable not known or a brace alone."""

    def piece(found: re.Match[str]) -> str:
        if found[0] in ("{{", "}}"):
            return found[0][0]
        if found["name"] is None:
            raise BadInput(FieldError(field, f"write {found[0] * 2} for a brace that is no variable"))
        if found["name"] not in known:
            variables = " and ".join(f"{{{name}}}" for name in known)
            raise BadInput(FieldError(field, f"has an unknown variable; known are {variables}"))
        return known[found["name"]]

    return PIECE.sub(piece, text)
