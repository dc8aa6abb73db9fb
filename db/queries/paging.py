"""Lists by page: what each of them is asked, and what a page of it is."""

from typing import Protocol, TypeVar

import msgspec

__all__ = ["LARGEST_ID", "Paging"]

LARGEST_ID = 2**63 - 1


class Numbered(Protocol):
    @property
    def id(self) -> int: ...


N = TypeVar("N", bound=Numbered)


class Paging(msgspec.Struct, frozen=True):
    """Of the rows with an id below `before`, newest first, the page with this number; the first is 1."""

    before: int = LARGEST_ID
    number: int = 1
    size: int = 10

    @property
    def values(self) -> dict[str, object]:
        """For a query that has `id < :before ORDER BY id DESC LIMIT :limit OFFSET :offset`: a page and one row more."""
        return {"before": self.before, "offset": (self.number - 1) * self.size, "limit": self.size + 1}

    def cut(self, found: list[N]) -> tuple[list[N], int | None]:
        """The page of what such a query found, and the cursor of the next: what its ids are below."""
        shown = found[: self.size]
        return shown, shown[-1].id if len(found) > self.size else None
