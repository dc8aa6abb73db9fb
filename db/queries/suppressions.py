"""Addresses that get no mail, or no broadcasts. An address stands for itself in any case of its letters."""

from datetime import datetime

import msgspec
from sqlalchemy import text

from db import Tx
from db.models import Scope, SuppressionReason
from db.queries.paging import Paging

__all__ = ["Suppression", "add", "lift", "page", "resubscribe", "subscribed", "unsubscribe"]


class Suppression(msgspec.Struct, frozen=True):
    """`detail` of a bounce is what the server said."""

    id: int
    address: str
    scope: Scope
    reason: SuppressionReason
    detail: str
    created_at: datetime


COLUMNS = "id, address, scope, reason, detail, created_at"

PAGE = text(f"""
    SELECT {COLUMNS} FROM suppressions
    WHERE id < :before AND (CAST(:address AS text) IS NULL OR lower(address) = lower(:address))
    ORDER BY id DESC LIMIT :limit OFFSET :offset
""")  # noqa: S608
ADD = text(f"""
    INSERT INTO suppressions (address, scope, reason, detail) VALUES (:address, :scope, 'manual', :detail)
    ON CONFLICT (lower(address), scope) DO NOTHING
    RETURNING {COLUMNS}
""")  # noqa: S608
LIFT = text("DELETE FROM suppressions WHERE id = :id RETURNING id")

# An answer also where nothing changes: whoever asks twice has unsubscribed all the same.
UNSUBSCRIBE = text("""
    WITH reader AS (
        SELECT email, language FROM users WHERE id = :user_id
    ), suppressed AS (
        INSERT INTO suppressions (address, scope, reason) SELECT email, :scope, 'unsubscribed' FROM reader
        ON CONFLICT (lower(address), scope) DO NOTHING
    )
    SELECT language FROM reader
""")
# Only what one did oneself: an address that bounced, or that an administrator suppressed, stays so.
RESUBSCRIBE = text("""
    WITH reader AS (
        SELECT email, language FROM users WHERE id = :user_id
    ), lifted AS (
        DELETE FROM suppressions s USING reader r
        WHERE lower(s.address) = lower(r.email) AND s.scope = :scope AND s.reason = 'unsubscribed'
    )
    SELECT language FROM reader
""")
SUBSCRIBED = text("""
    SELECT u.language, NOT EXISTS (
        SELECT FROM suppressions s
        WHERE lower(s.address) = lower(u.email) AND s.scope = :scope AND s.reason = 'unsubscribed'
    ) AS subscribed
    FROM users u WHERE u.id = :user_id
""")


async def page(tx: Tx, paging: Paging, *, address: str | None) -> list[Suppression]:
    """Newest first; of one address, if given."""
    given = {"address": address} | paging.values
    return [msgspec.convert(dict(row), Suppression) for row in (await tx.execute(PAGE, given)).mappings()]


async def add(tx: Tx, *, address: str, scope: Scope, detail: str) -> Suppression | None:
    """Suppress an address by hand. None if it is already, in this scope."""
    row = (await tx.execute(ADD, {"address": address, "scope": scope, "detail": detail})).mappings().first()
    return msgspec.convert(dict(row), Suppression) if row else None


async def lift(tx: Tx, suppression_id: int) -> bool:
    """Whether there was such a suppression to lift."""
    return await tx.scalar(LIFT, {"id": suppression_id}) is not None


async def unsubscribe(tx: Tx, user_id: int, scope: Scope) -> str | None:
    """Suppress the address of a user, and return the user's language. None if there is no such user."""
    language: str | None = await tx.scalar(UNSUBSCRIBE, {"user_id": user_id, "scope": scope})
    return language


async def resubscribe(tx: Tx, user_id: int, scope: Scope) -> str | None:
    """Take back what `unsubscribe` did, and return the user's language. None if there is no such user."""
    language: str | None = await tx.scalar(RESUBSCRIBE, {"user_id": user_id, "scope": scope})
    return language


async def subscribed(tx: Tx, user_id: int, scope: Scope) -> tuple[str, bool] | None:
    """The user's language, and whether the user has not unsubscribed. None if there is no such user."""
    row = (await tx.execute(SUBSCRIBED, {"user_id": user_id, "scope": scope})).one_or_none()
    return (row.language, row.subscribed) if row else None
