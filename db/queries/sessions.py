"""Logins. A request is one lookup: the session, and the user it belongs to as that user is now."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import text

from db import Tx
from db.models import Role


class Principal(msgspec.Struct, frozen=True):
    """Who is asking, by which login, and until when that login holds."""

    user_id: int
    session_id: int
    email: str
    display_name: str
    role: Role
    expires_at: datetime
    last_seen_at: datetime


FOUND = """
    SELECT u.id AS user_id, s.id AS session_id, u.email, u.display_name, u.role, s.expires_at, s.last_seen_at
    FROM sessions s JOIN users u ON u.id = s.user_id
    WHERE s.expires_at > now() AND u.disabled_at IS NULL
"""
BY_IDS = text(f"{FOUND} AND s.id = ANY(:ids)")
BY_TOKEN = text(f"{FOUND} AND s.token_hash = :token_hash")
ALIVE = text("""
    SELECT s.id FROM sessions s JOIN users u ON u.id = s.user_id
    WHERE s.id = ANY(:ids) AND s.expires_at > now() AND u.disabled_at IS NULL
""")
OPEN = text("""
    INSERT INTO sessions (user_id, token_hash, user_agent, expires_at)
    VALUES (:user_id, :token_hash, :user_agent, now() + make_interval(days => :days))
    RETURNING id
""")
EXTEND = text("""
    UPDATE sessions SET last_seen_at = now(), expires_at = now() + make_interval(days => :days) WHERE id = :id
""")
CLOSE = text("DELETE FROM sessions WHERE id = :id")
CLOSE_ALL = text("DELETE FROM sessions WHERE user_id = :user_id")
FORGET = text("DELETE FROM sessions WHERE expires_at <= now()")


async def open_(tx: Tx, user_id: int, *, token_hash: bytes, user_agent: str, days: int) -> int:
    values = {"user_id": user_id, "token_hash": token_hash, "user_agent": user_agent, "days": days}
    return int(await tx.scalar(OPEN, values))


async def by_ids(tx: Tx, session_ids: Sequence[int]) -> list[Principal]:
    """Those of the given sessions that still hold."""
    rows = (await tx.execute(BY_IDS, {"ids": list(session_ids)})).mappings()
    return [msgspec.convert(dict(row), Principal) for row in rows]


async def by_token(tx: Tx, token_hash: bytes) -> Principal | None:
    row = (await tx.execute(BY_TOKEN, {"token_hash": token_hash})).mappings().first()
    return msgspec.convert(dict(row), Principal) if row else None


async def alive(tx: Tx, session_ids: list[int]) -> set[int]:
    """Those of the given sessions that still hold."""
    return set((await tx.scalars(ALIVE, {"ids": session_ids})).all())


async def extend(tx: Tx, session_id: int, *, days: int) -> None:
    await tx.execute(EXTEND, {"id": session_id, "days": days})


async def close(tx: Tx, session_id: int) -> None:
    await tx.execute(CLOSE, {"id": session_id})


async def close_all(tx: Tx, user_id: int) -> None:
    await tx.execute(CLOSE_ALL, {"user_id": user_id})


async def forget_expired(tx: Tx) -> None:
    await tx.execute(FORGET)
