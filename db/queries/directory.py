"""The users as a list, and what admins do with them. The last admin stays one: all admins are locked meanwhile."""

from datetime import datetime
from typing import Literal

import msgspec
from sqlalchemy import text

from db import Tx
from db.models import Role

__all__ = ["Listed", "admins", "change", "ended_with", "one", "page"]


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A user as admins see it. `last_seen_at` is of a login that still holds or an API key, exact to a minute."""

    id: int
    email: str
    display_name: str
    role: Role
    created_at: datetime
    email_verified_at: datetime | None
    disabled_at: datetime | None
    last_seen_at: datetime | None


COLUMNS = """
    u.id, u.email, u.display_name, u.role, u.created_at, u.email_verified_at, u.disabled_at,
    (SELECT max(s.last_seen_at) FROM sessions s WHERE s.user_id = u.id AND s.issued_by IS NULL) AS last_seen_at
"""
PAGE = text(f"""
    SELECT {COLUMNS} FROM users u
    WHERE u.id < :before AND u.deleted_at IS NULL
    AND (CAST(:like AS text) IS NULL OR u.email ILIKE :like OR u.display_name ILIKE :like)
    AND (CAST(:role AS text) IS NULL OR u.role = :role)
    AND (CAST(:disabled AS boolean) IS NULL OR (u.disabled_at IS NOT NULL) = :disabled)
    ORDER BY u.id DESC LIMIT :limit OFFSET :offset
""")  # noqa: S608
ONE = text(f"SELECT {COLUMNS} FROM users u WHERE u.id = :id AND u.deleted_at IS NULL")  # noqa: S608
# In one order. Whoever waits here sees afterwards what the other did: a row that is no admin's any more is left out.
ADMINS = text("SELECT id FROM users WHERE role = 'admin' AND disabled_at IS NULL ORDER BY id FOR NO KEY UPDATE")
CHANGE = text("""
    UPDATE users SET role = coalesce(:role, role), disabled_at = CASE
        WHEN CAST(:disabled AS boolean) IS NULL THEN disabled_at
        WHEN :disabled THEN coalesce(disabled_at, now()) END
    WHERE id = :id AND deleted_at IS NULL
""")
ENDED_WITH = text("""
    SELECT s.user_id, s.id FROM sessions s WHERE s.user_id = :id
    UNION ALL
    SELECT s.user_id, s.id FROM sessions s JOIN sessions i ON i.id = s.issued_by WHERE i.user_id = :id
""")


async def page(
    tx: Tx,
    *,
    q: str | None,
    role: Role | None,
    state: Literal["enabled", "disabled"] | None,
    before: int,
    offset: int,
    limit: int,
) -> list[Listed]:
    """Newest first, with an id below `before`; `q` is part of the address or of the name, in any case."""
    values = {
        "like": None if q is None else f"%{_literal(q)}%",
        "role": role and role.value,
        "disabled": None if state is None else state == "disabled",
        "before": before,
        "offset": offset,
        "limit": limit,
    }
    return [msgspec.convert(dict(row), Listed) for row in (await tx.execute(PAGE, values)).mappings()]


async def one(tx: Tx, user_id: int) -> Listed | None:
    row = (await tx.execute(ONE, {"id": user_id})).mappings().first()
    return msgspec.convert(dict(row), Listed) if row else None


async def admins(tx: Tx) -> set[int]:
    """All who can run the place at this moment. They stay what they are until the transaction ends."""
    return set(await tx.scalars(ADMINS))


async def change(tx: Tx, user_id: int, *, role: Role | None = None, disabled: bool | None = None) -> None:
    """Change what is given."""
    await tx.execute(CHANGE, {"id": user_id, "role": role and role.value, "disabled": disabled})


async def ended_with(tx: Tx, user_id: int) -> list[tuple[int, int]]:
    """User and session of everything that holds only while this user does: the user's own, and what its keys issued."""
    return [(row.user_id, row.id) for row in await tx.execute(ENDED_WITH, {"id": user_id})]


def _literal(text: str) -> str:
    """A text for LIKE that means itself."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
