"""What changed after a position: the newest state of each row, in the order of change numbers.

A reader that is at (p, b) and applies these is where the inbox is, whatever it missed. Several readers are answered by
one statement each kind: their cursors go in as arrays, rows come back with the index of the cursor they are for.
"""

from typing import Literal

import msgspec
from sqlalchemy import text

from db import Tx
from db.queries.notifications import ITEM_COLUMNS, Item, item


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """A reader's position: the inbox's change number and the broadcasts'."""

    user_id: int
    inbox: int
    broadcasts: int


class ItemChange(msgspec.Struct, frozen=True):
    """A notification that arrived or changed, as it is now."""

    modseq: int
    item: Item


class MarkChange(msgspec.Struct, frozen=True):
    """A notification that was deleted, or a broadcast the user marked."""

    modseq: int
    id: int
    state: Literal["read", "unread", "deleted"]


class Changes(msgspec.Struct, frozen=True):
    """All that came after one cursor, each list in the order of its numbers; `complete` is False past the limit."""

    inbox: list[ItemChange | MarkChange]
    broadcasts: list[ItemChange]
    complete: bool

    @property
    def count(self) -> int:
        return len(self.inbox) + len(self.broadcasts)


CURSORS = """
    unnest(CAST(:users AS bigint[]), CAST(:inbox AS bigint[]), CAST(:broadcasts AS bigint[]))
    WITH ORDINALITY AS c (user_id, inbox, broadcasts, reader)
"""
PERSONAL = text(f"""
    SELECT c.reader, {ITEM_COLUMNS}, n.read_at, n.modseq, n.deleted_at IS NOT NULL AS deleted
    FROM {CURSORS} CROSS JOIN LATERAL (
        SELECT * FROM notifications n WHERE n.user_id = c.user_id AND n.modseq > c.inbox ORDER BY n.modseq LIMIT :limit
    ) n LEFT JOIN users s ON s.id = n.sender_id
""")  # noqa: S608
RECEIPTS = text(f"""
    SELECT c.reader, r.notification_id AS id, r.modseq,
           CASE r.state WHEN 'hidden' THEN 'deleted' ELSE r.state END AS state
    FROM {CURSORS} CROSS JOIN LATERAL (
        SELECT * FROM broadcast_receipts r WHERE r.user_id = c.user_id AND r.modseq > c.inbox
        ORDER BY r.modseq LIMIT :limit
    ) r
""")  # noqa: S608
BROADCASTS = text(f"""
    SELECT c.reader, {ITEM_COLUMNS}, n.seen_at AS read_at, n.modseq
    FROM {CURSORS} JOIN inboxes i ON i.user_id = c.user_id CROSS JOIN LATERAL (
        SELECT n.*, r.read_at AS seen_at
        FROM notifications n LEFT JOIN broadcast_receipts r ON r.notification_id = n.id AND r.user_id = c.user_id
        WHERE n.user_id IS NULL AND n.modseq > greatest(c.broadcasts, i.broadcasts_from)
              AND coalesce(r.state, 'unread') <> 'hidden'
        ORDER BY n.modseq LIMIT :limit
    ) n LEFT JOIN users s ON s.id = n.sender_id
""")  # noqa: S608
BROADCASTS_BETWEEN = text(f"""
    SELECT {ITEM_COLUMNS}, NULL AS read_at, n.modseq
    FROM notifications n LEFT JOIN users s ON s.id = n.sender_id
    WHERE n.user_id IS NULL AND n.modseq > :after ORDER BY n.modseq
""")  # noqa: S608


async def since(tx: Tx, cursors: list[Cursor], *, limit: int) -> list[Changes]:
    """Read what came after each cursor, at most `limit` rows of each kind plus one that tells there is more.

    Raises nothing for a position that never was: whoever asks compares it with `inbox.positions` first.
    """
    values = {
        "users": [cursor.user_id for cursor in cursors],
        "inbox": [cursor.inbox for cursor in cursors],
        "broadcasts": [cursor.broadcasts for cursor in cursors],
        "limit": limit + 1,
    }
    inbox: list[list[ItemChange | MarkChange]] = [[] for _ in cursors]
    broadcasts: list[list[ItemChange]] = [[] for _ in cursors]
    for row in (await tx.execute(PERSONAL, values)).mappings():
        deleted = MarkChange(row["modseq"], row["id"], "deleted") if row["deleted"] else None
        inbox[row["reader"] - 1].append(deleted or ItemChange(row["modseq"], item(row)))
    for row in (await tx.execute(RECEIPTS, values)).mappings():
        inbox[row["reader"] - 1].append(MarkChange(row["modseq"], row["id"], row["state"]))
    for row in (await tx.execute(BROADCASTS, values)).mappings():
        broadcasts[row["reader"] - 1].append(ItemChange(row["modseq"], item(row)))
    return [
        Changes(
            sorted(of_inbox, key=lambda change: change.modseq),
            sorted(of_broadcasts, key=lambda change: change.modseq),
            len(of_inbox) + len(of_broadcasts) <= limit,
        )
        for of_inbox, of_broadcasts in zip(inbox, broadcasts, strict=True)
    ]


async def broadcasts_after(tx: Tx, number: int) -> list[ItemChange]:
    """The broadcasts that arrived after a number, unread as they are to one who has not seen them."""
    return [
        ItemChange(row["modseq"], item(row))
        for row in (await tx.execute(BROADCASTS_BETWEEN, {"after": number})).mappings()
    ]
