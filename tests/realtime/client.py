"""A client of the stream in a few lines: the list it shows, and its badge."""

from datetime import datetime
from typing import Any

from tests.people import Event

# An item's state is told without its times, and the e-mail's status changes without being told.
UNTOLD = ("status", "updated_at", "read_at")

Id = tuple[int, int]


def position(event_id: str) -> Id:
    inbox, broadcasts = map(int, event_id.split("."))
    return inbox, broadcasts


class Client:
    """Upserts what arrives, applies marks in list order, adds up the badge. It can be copied at any event id."""

    def __init__(self, items: list[Any] | None = None, *, badge: int = 0, last_id: str = "0.0") -> None:
        self.items: dict[int, Any] = {item["id"]: item for item in items or []}
        self.badge = badge
        self.last_id = last_id
        self.resets: list[str] = []
        self.badges: dict[Id, int] = {}
        self.complete_at: set[Id] = set()

    def copy(self) -> "Client":
        copied = Client(list(self.items.values()), badge=self.badge, last_id=self.last_id)
        copied.items = {id_: dict(item) for id_, item in copied.items.items()}
        return copied

    def take(self, event: Event) -> None:
        match event.name:
            case "open" | "reset":
                self.badge = event.data["unread"]
            case "notification":
                self.items[event.data["id"]] = dict(event.data)
            case "state":
                self._mark(event.data["state"], event.data.get("ids"), event.data.get("through"))
            case "count":
                self.badge = event.data["count"] + (0 if event.data["total"] else self.badge)
        if event.name == "reset":
            self.resets.append(event.data["reason"])
        assert event.id, f"{event} came before any id"
        before, at = position(self.last_id), position(event.id)
        assert event.name == "reset" or (before[0] <= at[0] and before[1] <= at[1]), f"{before} then {event}"
        self.last_id = event.id
        if event.name == "count" and not self.resets:
            self._take_stock(event, at)

    def _take_stock(self, event: Event, at: Id) -> None:
        """A count closes a number: what came before it is all of that number."""
        assert self.unread == self.badge, f"{self.unread} unread in the list, the badge says {self.badge}, at {event}"
        assert self.badges.setdefault(at, self.badge) == self.badge, f"two badges at {at}"

    def _mark(self, state: str, ids: list[int] | None, through: int | None) -> None:
        if through is not None:
            ids = [id_ for id_, item in self.items.items() if place(item) <= place(self.items[through])]
        for id_ in ids or []:
            if state == "deleted":
                self.items.pop(id_, None)
            elif id_ in self.items:
                self.items[id_] |= {"state": state}

    @property
    def unread(self) -> int:
        return sum(item["state"] == "unread" for item in self.items.values())

    @property
    def shown(self) -> list[Any]:
        """The list, newest first, without what is not told."""
        return told(sorted(self.items.values(), key=place, reverse=True))


def place(item: Any) -> tuple[datetime, int]:
    return datetime.fromisoformat(item["created_at"]), item["id"]


def told(items: list[Any]) -> list[Any]:
    return [{name: value for name, value in item.items() if name not in UNTOLD} for item in items]
