"""One user's inbox: where it stands, its pages, and the changes its user makes."""

from collections.abc import Iterable
from datetime import datetime
from functools import cache
from typing import Any, Literal

import msgspec
from sqlalchemy import TextClause, text

from db import Tx
from db.queries.notifications import ITEM_COLUMNS, Item, item

Kind = Literal["all", "personal", "broadcast"]
State = Literal["all", "unread", "read"]


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """Where an inbox stands: its two change numbers, where their replay ends, and what is unread at that point."""

    user_id: int
    modseq: int
    floor: int
    unread: int
    broadcast_modseq: int
    broadcast_floor: int
    broadcasts_from: int
    broadcasts_unread: int

    @property
    def total(self) -> int:
        """The badge."""
        return self.unread + self.broadcasts_unread

    @property
    def name(self) -> str:
        """As streams name it in their ids."""
        return f"{self.modseq}.{self.broadcast_modseq}"


class Key(msgspec.Struct, frozen=True, array_like=True):
    """An item's place in the list, which is in the order (visible_at, id), newest first."""

    at: datetime
    id: int

    def order(self) -> tuple[datetime, int]:
        return self.at, self.id


class Box(msgspec.Struct, frozen=True, kw_only=True):
    """An inbox row, locked until the transaction ends."""

    user_id: int
    modseq: int
    unread: int
    broadcasts_from: int


class Touched(msgspec.Struct, frozen=True, kw_only=True):
    """Rows a change stamped: `unread` of them were unread before, `newest` is the highest broadcast number of them.

    `top` is the place of the one that stands highest in the list.
    """

    ids: list[int]
    unread: int = 0
    newest: int = 0
    top: Key | None = None


# Receipts of broadcasts that retention has taken out, and not removed yet, do not count.
POSITIONS = text("""
    WITH withdrawn AS (SELECT id FROM notifications WHERE user_id IS NULL AND deleted_at IS NOT NULL)
    SELECT i.user_id, i.modseq, i.floor, i.unread, i.broadcasts_from,
           c.modseq AS broadcast_modseq, c.floor AS broadcast_floor,
           (SELECT count(*) FROM notifications b WHERE b.user_id IS NULL AND b.modseq > i.broadcasts_from)
           - (SELECT count(*) FROM broadcast_receipts r
              WHERE r.user_id = i.user_id AND r.state IN ('read', 'hidden'))
           + CASE WHEN EXISTS (SELECT FROM withdrawn) THEN (
                  SELECT count(*) FROM withdrawn w JOIN broadcast_receipts r ON r.notification_id = w.id
                  WHERE r.user_id = i.user_id AND r.state IN ('read', 'hidden')
             ) ELSE 0 END AS broadcasts_unread
    FROM inboxes i CROSS JOIN broadcast_clock c
    WHERE i.user_id = ANY(:users)
""")
NUMBERS = text("SELECT user_id, modseq FROM inboxes WHERE user_id = ANY(:users)")
CLOCK = text("SELECT modseq FROM broadcast_clock")
LOCK_CLOCK = text("SELECT modseq FROM broadcast_clock FOR SHARE")
LOCK = text("SELECT user_id, modseq, unread, broadcasts_from FROM inboxes WHERE user_id = :user FOR UPDATE")
ADVANCE = text("UPDATE inboxes SET modseq = :modseq, unread = unread + :unread WHERE user_id = :user")
KEY = text("""
    SELECT visible_at AS at, id FROM notifications
    WHERE id = :id AND (user_id = :user OR user_id IS NULL AND modseq > :broadcasts_from) AND modseq IS NOT NULL
""")

PERSONAL = """
    SELECT n.*, n.read_at AS seen_at FROM notifications n
    WHERE n.user_id = :user AND n.modseq IS NOT NULL AND n.deleted_at IS NULL {state} {after}
    ORDER BY n.visible_at DESC, n.id DESC LIMIT :reach
"""
PERSONAL_STATE = {"all": "", "unread": "AND n.read_at IS NULL", "read": "AND n.read_at IS NOT NULL"}
BROADCAST = """
    SELECT n.*, r.read_at AS seen_at
    FROM notifications n LEFT JOIN broadcast_receipts r ON r.notification_id = n.id AND r.user_id = :user
    WHERE n.user_id IS NULL AND n.modseq > (SELECT broadcasts_from FROM inboxes WHERE user_id = :user)
          AND coalesce(r.state, 'unread') {state} {after}
    ORDER BY n.visible_at DESC, n.id DESC LIMIT :reach
"""
BROADCAST_STATE = {"all": "<> 'hidden'", "unread": "= 'unread'", "read": "= 'read'"}
AFTER = "AND (n.visible_at, n.id) < (:at, :id)"
SEARCHED = 5_000  # items one request looks through; those of a whole window, for most


def _listed(kind: Kind, state: State, after: bool) -> str:
    """What a list is made of, before it is put into its order."""
    after_key = AFTER if after else ""
    personal = PERSONAL.format(state=PERSONAL_STATE[state], after=after_key)
    broadcast = BROADCAST.format(state=BROADCAST_STATE[state], after=after_key)
    sources = {"all": [personal, broadcast], "personal": [personal], "broadcast": [broadcast]}[kind]
    return " UNION ALL ".join(f"({source})" for source in sources)


@cache
def page_query(kind: Kind, state: State, after: bool) -> TextClause:
    return text(f"""
        SELECT {ITEM_COLUMNS}, n.seen_at AS read_at, n.visible_at FROM ({_listed(kind, state, after)}) n
        LEFT JOIN users s ON s.id = n.sender_id
        ORDER BY n.visible_at DESC, n.id DESC LIMIT :limit OFFSET :offset
    """)  # noqa: S608


@cache
def search_query(kind: Kind, state: State, after: bool) -> TextClause:
    """What is found among the next items of a list, and where the look ended if there is more."""
    return text(f"""
        WITH looked AS MATERIALIZED (
            SELECT n.id, n.visible_at, n.seen_at, strpos(lower(n.title), lower(:words)) > 0 AS found
            FROM ({_listed(kind, state, after)}) n ORDER BY n.visible_at DESC, n.id DESC LIMIT :reach
        ), shown AS (
            (SELECT * FROM looked WHERE found ORDER BY visible_at DESC, id DESC LIMIT :limit)
            UNION (SELECT * FROM looked ORDER BY visible_at DESC, id DESC LIMIT 1 OFFSET :reach - 1)
        )
        SELECT {ITEM_COLUMNS}, l.seen_at AS read_at, l.visible_at, l.found, (SELECT count(*) FROM looked) AS looked
        FROM shown l JOIN notifications n ON n.id = l.id LEFT JOIN users s ON s.id = n.sender_id
        ORDER BY l.visible_at DESC, l.id DESC
    """)  # noqa: S608


async def positions(tx: Tx, users: Iterable[int]) -> dict[int, Position]:
    rows = (await tx.execute(POSITIONS, {"users": list(users)})).mappings()
    return {row["user_id"]: Position(**row) for row in rows}


async def position(tx: Tx, user_id: int) -> Position:
    return (await positions(tx, [user_id]))[user_id]


async def numbers(tx: Tx, users: Iterable[int]) -> dict[int, int]:
    """The change numbers of inboxes, without the counts: cheap enough to ask for everybody every few seconds."""
    return {row.user_id: row.modseq for row in await tx.execute(NUMBERS, {"users": list(users)})}


async def broadcast_number(tx: Tx) -> int:
    return int(await tx.scalar(CLOCK))


async def page(
    tx: Tx, user_id: int, *, kind: Kind, state: State, after: Key | None, offset: int, limit: int
) -> list[tuple[Key, Item]]:
    """Items below `after` in the list, each with its place."""
    values: dict[str, Any] = {"user": user_id, "limit": limit, "offset": offset, "reach": limit + offset}
    if after is not None:
        values |= {"at": after.at, "id": after.id}
    rows = (await tx.execute(page_query(kind, state, after is not None), values)).mappings()
    return [(Key(row["visible_at"], row["id"]), item(row)) for row in rows]


async def search(
    tx: Tx, user_id: int, words: str, *, kind: Kind, state: State, after: Key | None, limit: int
) -> tuple[list[tuple[Key, Item]], Key | None]:
    """Items below `after` whose titles contain these words, in any case, and the place to go on looking from.

    No more than `SEARCHED` items are looked at, so what is rare or not there costs no more than that.
    """
    values: dict[str, Any] = {"user": user_id, "words": words, "reach": SEARCHED, "limit": limit + 1}
    if after is not None:
        values |= {"at": after.at, "id": after.id}
    rows = (await tx.execute(search_query(kind, state, after is not None), values)).mappings().all()
    found = [(Key(row["visible_at"], row["id"]), item(row)) for row in rows if row["found"]]
    if len(found) > limit:
        return found[:limit], found[limit - 1][0]
    if rows and rows[0]["looked"] == SEARCHED:  # a full look's last item is there, whether it was found or not
        return found, Key(rows[-1]["visible_at"], rows[-1]["id"])
    return found, None


async def lock(tx: Tx, user_id: int) -> Box:
    """Hold the inbox row until the transaction ends, so that its next number is ours to give.

    Readers ask for `modseq > last seen`. Without the lock a slow transaction could commit 7 after a reader went past 8.
    """
    return Box(**(await tx.execute(LOCK, {"user": user_id})).mappings().one())


async def lock_broadcasts(tx: Tx) -> int:
    """Let no broadcast arrive until the transaction ends, and return the number of the newest."""
    return int(await tx.scalar(LOCK_CLOCK))


async def advance(tx: Tx, box: Box, *, unread: int) -> None:
    """Take the next number and add to the count of unread personal notifications."""
    await tx.execute(ADVANCE, {"user": box.user_id, "modseq": box.modseq + 1, "unread": unread})


async def key(tx: Tx, box: Box, notification_id: int) -> Key | None:
    """The place of an item of this inbox, even of one deleted meanwhile."""
    values = {"id": notification_id, "user": box.user_id, "broadcasts_from": box.broadcasts_from}
    row = (await tx.execute(KEY, values)).mappings().first()
    return Key(**row) if row else None
