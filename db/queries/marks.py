"""Marking items read, unread or deleted: personal ones in their row, broadcasts by a receipt.

All of it happens under the inbox's lock (`inbox.lock`), so that one user's changes come one after the other.
"""

from collections.abc import Sequence
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import Row, TextClause, text

from db import Tx
from db.queries.inbox import Box, Key, Touched


class Mark(StrEnum):
    READ = "read"
    UNREAD = "unread"
    DELETED = "deleted"


PERSONAL_SET = {
    Mark.READ: "read_at = now()",
    Mark.UNREAD: "read_at = NULL",
    Mark.DELETED: "deleted_at = now()",
}
PERSONAL_FROM = {Mark.READ: "n.read_at IS NULL", Mark.UNREAD: "n.read_at IS NOT NULL", Mark.DELETED: "true"}
RECEIPT = {Mark.READ: "'read'", Mark.UNREAD: "'unread'", Mark.DELETED: "'hidden'"}
RECEIPT_FROM = {Mark.READ: "= 'unread'", Mark.UNREAD: "= 'read'", Mark.DELETED: "<> 'hidden'"}
RECEIPT_READ_AT = {Mark.READ: "now()", Mark.UNREAD: "NULL", Mark.DELETED: "chosen.read_at"}

BY_IDS = "n.id = ANY(:ids)"
THROUGH = "(n.visible_at, n.id) <= (:at, :id)"


@cache
def personal_query(mark: Mark, which: str) -> TextClause:
    return text(f"""
        WITH chosen AS (
            SELECT n.id, n.visible_at, n.read_at FROM notifications n
            WHERE n.user_id = :user AND n.modseq IS NOT NULL AND n.deleted_at IS NULL
                  AND {PERSONAL_FROM[mark]} AND {which}
        ), changed AS (
            UPDATE notifications n SET {PERSONAL_SET[mark]}, modseq = :modseq, updated_at = now()
            FROM chosen WHERE n.id = chosen.id
        )
        SELECT id, visible_at, read_at IS NULL AS unread FROM chosen
    """)  # noqa: S608


@cache
def receipts_query(mark: Mark, which: str) -> TextClause:
    # the lock on the broadcast keeps retention from removing it before its receipt is written
    return text(f"""
        WITH chosen AS (
            SELECT n.id, n.visible_at, n.modseq, coalesce(r.state, 'unread') AS state, r.read_at
            FROM notifications n LEFT JOIN broadcast_receipts r ON r.notification_id = n.id AND r.user_id = :user
            WHERE n.user_id IS NULL AND n.modseq > :broadcasts_from AND {which}
                  AND coalesce(r.state, 'unread') {RECEIPT_FROM[mark]}
            FOR KEY SHARE OF n
        ), changed AS (
            INSERT INTO broadcast_receipts (user_id, notification_id, state, modseq, read_at)
            SELECT :user, chosen.id, {RECEIPT[mark]}, :modseq, {RECEIPT_READ_AT[mark]} FROM chosen
            ON CONFLICT (user_id, notification_id)
            DO UPDATE SET state = excluded.state, modseq = excluded.modseq, read_at = excluded.read_at
        )
        SELECT id, visible_at, modseq, state = 'unread' AS unread FROM chosen
    """)  # noqa: S608


async def personal(tx: Tx, box: Box, mark: Mark, which: list[int] | Key) -> Touched:
    """Mark personal notifications, chosen by id or as an item and all below it."""
    condition, values = _chosen(which)
    values |= {"user": box.user_id, "modseq": box.modseq + 1}
    rows = (await tx.execute(personal_query(mark, condition), values)).all()
    return Touched(ids=[row.id for row in rows], unread=sum(row.unread for row in rows), top=_top(rows))


async def broadcasts(tx: Tx, box: Box, mark: Mark, which: list[int] | Key) -> Touched:
    """Write the receipts that mark broadcasts for this user."""
    condition, values = _chosen(which)
    values |= {"user": box.user_id, "modseq": box.modseq + 1, "broadcasts_from": box.broadcasts_from}
    rows = (await tx.execute(receipts_query(mark, condition), values)).all()
    return Touched(
        ids=[row.id for row in rows],
        unread=sum(row.unread for row in rows),
        newest=max((row.modseq for row in rows), default=0),
        top=_top(rows),
    )


def _top(rows: Sequence[Row[Any]]) -> Key | None:
    return max((Key(row.visible_at, row.id) for row in rows), key=Key.order, default=None)


def _chosen(which: list[int] | Key) -> tuple[str, dict[str, object]]:
    if isinstance(which, Key):
        return THROUGH, {"at": which.at, "id": which.id}
    return BY_IDS, {"ids": which}
