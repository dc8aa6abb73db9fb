"""What paths and query strings carry."""

from typing import Annotated

from litestar.di import Provide
from litestar.params import QueryParameter

from belfry.errors import NotFound
from db.queries.paging import LARGEST_ID, Paging

LAST_PAGE = 10_000  # further down, a cursor is the way

PageNumber = Annotated[int, QueryParameter(ge=1, le=LAST_PAGE)]
PageSize = Annotated[int, QueryParameter(ge=1, le=100)]
Place = Annotated[int, QueryParameter(ge=1, le=LARGEST_ID, description="`next_cursor` of a page")]


async def _paging(cursor: Place = LARGEST_ID, page: PageNumber = 1, page_size: PageSize = 10) -> Paging:
    return Paging(cursor, page, page_size)


PAGING = {"paging": Provide(_paging)}


def storable(number: int, what: str = "notification") -> int:
    """An id from a path. Raises `NotFound` for one that no row can have."""
    if not 0 < number <= LARGEST_ID:
        raise NotFound(f"There is no such {what}.")
    return number
