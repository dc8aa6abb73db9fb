"""What paths and query strings carry."""

from typing import Annotated, Protocol, TypeVar

from litestar.params import QueryParameter

from belfry.errors import NotFound
from belfry.intake.fields import LARGEST_ID

LAST = LARGEST_ID  # the cursor of the first page: before it stands everything
LAST_PAGE = 10_000  # further down, a cursor is the way

PageNumber = Annotated[int, QueryParameter(ge=1, le=LAST_PAGE)]
PageSize = Annotated[int, QueryParameter(ge=1, le=100)]
Place = Annotated[int, QueryParameter(ge=1, le=LARGEST_ID, description="`next_cursor` of a page")]


class Numbered(Protocol):
    @property
    def id(self) -> int: ...


N = TypeVar("N", bound=Numbered)


def cut(found: list[N], page_size: int) -> tuple[list[N], int | None]:
    """The page of what was found by asking for one more than a page, and the cursor of the next."""
    shown = found[:page_size]
    return shown, shown[-1].id if len(found) > page_size else None


def storable(number: int, what: str = "notification") -> int:
    """An id from a path. Raises `NotFound` for one that no row can have."""
    if not 0 < number <= LARGEST_ID:
        raise NotFound(f"There is no such {what}.")
    return number
