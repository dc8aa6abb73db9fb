"""Promises 4, 5, 6 and 8 for streams: what each client was told against what the database holds."""

from collections.abc import Iterator

from tests.people import Event
from tests.realtime.client import Client, Id
from tests.soak.evidence import Broken, Evidence, Heard, Item, Told, percentile
from tests.soak.plan import Plan

MISSED_TOO_MUCH = "too much was missed"
GRACE = 5.0
"""Seconds after a fault for which streams may still be coming back."""


class Mirror(Client):
    """A client that notes the badges it showed, and goes on whatever it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.shown_badges: list[tuple[Id, int]] = []

    def _take_stock(self, event: Event, at: Id) -> None:
        self.shown_badges.append((at, self.badge))

    def _mark(self, state: str, ids: list[int] | None, through: int | None) -> None:
        if through is None or through in self.items:
            super()._mark(state, ids, through)


def judge(evidence: Evidence, plan: Plan) -> Iterator[Broken]:
    for heard in evidence.heard:
        yield from _tells_all(evidence, heard)
    yield from _is_fresh(evidence, plan)
    for listed in evidence.listed:
        if foreign := [id_ for id_ in listed.ids if not _belongs(evidence.items.get(id_), listed.user)]:
            what = f"user {listed.user} was shown what is not theirs"
            yield Broken(promise=8, kind="foreign data", what=what, at=listed.at, ids=foreign)
    if evidence.stream_seconds is None:
        what = f"a stream was not where the database is {plan.event_seconds:.0f} s after the last fault"
        yield Broken(promise=4, kind="too slow to converge", what=what, at=evidence.healed)


def _tells_all(evidence: Evidence, heard: Heard) -> Iterator[Broken]:
    def broken(promise: int, kind: str, what: str, at: float, ids: list[int] | None = None) -> Broken:
        return Broken(promise=promise, kind=kind, what=f"{heard.name}: {what}", at=at, ids=ids or [])

    if heard.broken:
        yield broken(4, "events missed", f"it ended: {heard.broken}", evidence.healed)
    mirror, before, seen = Mirror(), (0, 0), set[int]()
    for told in heard.told:
        reset = [data["reason"] for name, data in told.events if name == "reset"]
        if reset and reset != [MISSED_TOO_MUCH]:
            yield broken(4, "events missed", f"reset: {reset[0]}", told.at)
        if not reset and (told.position[0] < before[0] or told.position[1] < before[1]):
            yield broken(4, "events out of order", f"{before}, then {told.position}", told.at)
            mirror.last_id = "0.0"
        elif not reset and told.position == before and _changes(told):
            yield broken(4, "events duplicated", f"{told.position} was told again: {told.events}", told.at)
        before = told.position
        seen |= _arrivals(told)
        ids = _ids(told)
        if foreign := [id_ for id_ in ids if not _belongs(evidence.items.get(id_), heard.user)]:
            yield broken(8, "foreign data", "told what is another's", told.at, foreign)
        for name, data in told.events:
            mirror.take(Event(name, data, f"{told.position[0]}.{told.position[1]}", True))
    box = evidence.boxes[heard.user]
    wrong = [(at, badge, box.truth.badge(at)) for at, badge in mirror.shown_badges if badge != box.truth.badge(at)]
    for position, shown, held in wrong:
        at = next(told.at for told in heard.told if told.position == position)
        yield broken(6, "badge mismatches", f"{shown} at {position}, the database held {held}", at)
    if mirror.resets:
        return  # what it missed it would have read from the list
    visible = {item.id: item for item in evidence.items.values() if _shows(item, heard.user, box.broadcasts_from)}
    if missed := sorted(visible.keys() - seen):
        what = f"{len(missed)} of {len(visible)} items were never told"
        yield broken(4, "events missed", what, visible[missed[0]].created, missed)
    listed = {id_: item["state"] for id_, item in mirror.items.items()}
    held_now = {id_: state for id_, item in visible.items() if (state := _state(item, box.receipts)) != "deleted"}
    if not missed and (different := sorted(id_ for id_, _ in listed.items() ^ held_now.items())):
        yield broken(4, "events missed", "in the end its list is not the database's", evidence.healed, different)


def _changes(told: Told) -> bool:
    return any(name in ("notification", "state") for name, _ in told.events)


def _arrivals(told: Told) -> set[int]:
    """The items a client knows of from here on, or knows to be gone, where that is all it was told."""
    arrived = {data["id"] for name, data in told.events if name == "notification"}
    gone = [data.get("ids", []) for name, data in told.events if name == "state" and data["state"] == "deleted"]
    return arrived.union(*gone)


def _ids(told: Told) -> list[int]:
    ids: list[int] = []
    for name, data in told.events:
        if name == "notification":
            ids.append(data["id"])
        elif name == "state":
            ids += data.get("ids") or [data["through"]]
    return ids


def _belongs(item: Item | None, user: int) -> bool:
    return item is not None and item.user in (None, user)


def _shows(item: Item, user: int, broadcasts_from: int) -> bool:
    if item.number is None:
        return False
    return item.user == user or (item.user is None and item.number > broadcasts_from)


def _state(item: Item, receipts: dict[int, str]) -> str:
    if item.user is not None:
        return item.state
    return {"read": "read", "hidden": "deleted"}.get(receipts.get(item.id, ""), "unread")


def delays(evidence: Evidence) -> Iterator[tuple[Item, float]]:
    """Every first telling of an item, with its seconds since it was made."""
    for heard in evidence.heard:
        seen = set[int]()
        for told in heard.told:
            for name, data in told.events:
                if name == "notification" and data["id"] not in seen and data["id"] in evidence.items:
                    seen.add(data["id"])
                    yield evidence.items[data["id"]], told.at - evidence.items[data["id"]].created


def _is_fresh(evidence: Evidence, plan: Plan) -> Iterator[Broken]:
    """Where neither web nor PostgreSQL had been hurt; and if the event Redis had not been either, at once."""
    calm: list[tuple[float, Item]] = []
    repaired: list[tuple[float, Item]] = []
    for item, delay in delays(evidence):
        since, until = item.created - GRACE, item.created + delay
        if not evidence.hurting(since, until, "web", "postgres"):
            (repaired if evidence.hurting(since, until, "events") else calm).append((delay, item))
    for kind, some, most in (("late events", calm, plan.fresh), ("late repairs", repaired, plan.event_seconds)):
        p99 = percentile((delay for delay, _ in some), 0.99)
        if p99 > most:
            late = [item for delay, item in some if delay > most]
            what = f"p99 is {p99:.2f} s of {len(some)}, more than {most:.1f} s"
            yield Broken(promise=5, kind=kind, what=what, at=late[0].created, ids=[item.id for item in late][:20])
