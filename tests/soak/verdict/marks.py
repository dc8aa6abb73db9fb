"""Promise 1 for what readers did: the last mark that was answered with 2xx is the one that stands."""

from collections import defaultdict
from collections.abc import Iterator

from tests.soak.evidence import Broken, Evidence, Item, Marked

AFTER = {"read": "read", "unread": "unread", "delete": "deleted"}
RECEIPT = {"read": "read", "unread": "unread", "hidden": "deleted"}


def judge(evidence: Evidence) -> Iterator[Broken]:
    by_user = defaultdict(list)
    for marked in evidence.marked:
        by_user[marked.user].append(marked)
    for user, marks in by_user.items():
        yield from _stands(evidence, user, marks)


def _stands(evidence: Evidence, user: int, marks: list[Marked]) -> Iterator[Broken]:
    box = evidence.boxes[user]
    broadcasts = [item for item in evidence.items.values() if item.user is None and item.number is not None]
    items = {item.id: item for item in evidence.items.values() if item.user == user and item.number is not None}
    items |= {item.id: item for item in broadcasts if (item.number or 0) > box.broadcasts_from}
    expected: dict[int, str] = {}
    uncertain: set[int] = set()
    last: dict[int, Marked] = {}
    for marked in marks:
        for id_ in _meant(marked, items):
            if not marked.certain:
                uncertain.add(id_)
            if expected.get(id_) != "deleted":
                expected[id_] = AFTER[marked.how]
                last[id_] = marked
    for id_ in expected.keys() - uncertain:
        item = items.get(id_)
        stands = None if item is None else _state(item, box.receipts)
        if stands != expected[id_]:
            what = f"user {user}: {id_} was marked {expected[id_]}, the database says {stands}"
            yield Broken(promise=1, kind="false 2xx", what=what, at=last[id_].tries[-1].ended, ids=[id_])


def _meant(marked: Marked, items: dict[int, Item]) -> list[int]:
    """What a mark is about. What stands below an item was there when it was marked: what comes later stands above."""
    if marked.through is None:
        return marked.ids
    top = items[marked.through].place
    return [item.id for item in items.values() if item.place <= top]


def _state(item: Item, receipts: dict[int, str]) -> str:
    return item.state if item.user is not None else RECEIPT[receipts.get(item.id, "unread")]
