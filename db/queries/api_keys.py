"""API keys and what they issue. A key is a session with a name and scopes."""

from collections.abc import Collection
from datetime import UTC, datetime

import msgspec
from sqlalchemy import text

from db import Tx
from db.models import KeyScope
from db.queries.sessions import Principal

NEVER = datetime(9999, 12, 31, tzinfo=UTC)


class ApiKeyItem(msgspec.Struct, frozen=True):
    """An API key as its owner sees it; the key itself was shown once. `last_used_at` is exact to a minute."""

    id: int
    name: str
    scopes: list[KeyScope]
    networks: list[str]
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None


SHOWN = """
    s.id, k.name, s.scopes, k.networks, s.created_at, s.last_seen_at AS last_used_at, k.ends_at AS expires_at
"""
OF_USER = text(f"""
    SELECT {SHOWN} FROM api_keys k JOIN sessions s ON s.id = k.session_id
    WHERE s.user_id = :user_id AND s.expires_at > now() ORDER BY s.id DESC
""")  # noqa: S608
# The owner is locked: of two requests at once the second counts what the first made.
LOCK_OWNER = text("SELECT FROM users WHERE id = :user_id FOR NO KEY UPDATE")
MAKE = text(f"""
    WITH s AS (
        INSERT INTO sessions (user_id, token_hash, scopes, last_seen_at, expires_at)
        SELECT :user_id, :token_hash, CAST(:scopes AS text[]), NULL, coalesce(CAST(:expires_at AS timestamptz), :never)
        WHERE (SELECT count(*) FROM api_keys k JOIN sessions o ON o.id = k.session_id
               WHERE o.user_id = :user_id AND o.expires_at > now()) < :most
        RETURNING id, scopes, created_at, last_seen_at
    ), k AS (
        INSERT INTO api_keys (session_id, name, networks, ends_at)
        SELECT id, :name, CAST(:networks AS text[]), CAST(:expires_at AS timestamptz) FROM s
        RETURNING name, networks, ends_at
    )
    SELECT {SHOWN} FROM s, k
""")  # noqa: S608
REVOKE = text("""
    WITH gone AS (
        SELECT s.id, s.user_id, k.name FROM sessions s JOIN api_keys k ON k.session_id = s.id
        WHERE s.user_id = :user_id AND (CAST(:id AS bigint) IS NULL OR s.id = :id) ORDER BY s.id FOR UPDATE OF s
    ), issued AS (
        SELECT id, user_id FROM sessions WHERE issued_by IN (SELECT id FROM gone)
    ), ended AS (
        DELETE FROM sessions WHERE id IN (SELECT id FROM gone)
    )
    SELECT id, user_id, name FROM gone UNION ALL SELECT id, user_id, NULL FROM issued
""")
ISSUE = text("""
    INSERT INTO sessions (user_id, scopes, issued_by, user_agent, expires_at)
    SELECT :user_id, CAST(:scopes AS text[]), id, :user_agent, now() + make_interval(secs => :seconds)
    FROM sessions WHERE id = :key FOR KEY SHARE
    RETURNING id
""")


async def of_user(tx: Tx, user_id: int) -> list[ApiKeyItem]:
    """A user's keys, newest first."""
    rows = (await tx.execute(OF_USER, {"user_id": user_id})).mappings()
    return [msgspec.convert(dict(row), ApiKeyItem) for row in rows]


async def make(
    tx: Tx,
    user_id: int,
    *,
    name: str,
    token_hash: bytes,
    scopes: Collection[KeyScope],
    networks: Collection[str],
    expires_at: datetime | None,
    most: int,
) -> ApiKeyItem | None:
    """Make a key. None if the user has `most` already."""
    values = {
        "user_id": user_id,
        "name": name,
        "token_hash": token_hash,
        "scopes": [scope.value for scope in scopes],
        "networks": list(networks),
        "expires_at": expires_at,
        "never": NEVER,
        "most": most,
    }
    await tx.execute(LOCK_OWNER, {"user_id": user_id})
    row = (await tx.execute(MAKE, values)).mappings().first()
    return msgspec.convert(dict(row), ApiKeyItem) if row else None


async def revoke(tx: Tx, key_id: int, *, user_id: int) -> tuple[str, list[tuple[int, int]]] | None:
    """End a user's key, and what it issued: its name, and user and session of each. None if there is no such key."""
    rows = (await tx.execute(REVOKE, {"id": key_id, "user_id": user_id})).all()
    return (rows[0].name, [(row.user_id, row.id) for row in rows]) if rows else None


async def revoke_all(tx: Tx, user_id: int) -> list[tuple[int, int]]:
    """End a user's keys, and what they issued: user and session of each."""
    return [(row.user_id, row.id) for row in await tx.execute(REVOKE, {"id": None, "user_id": user_id})]


async def issue(
    tx: Tx, key: Principal, user_id: int, *, scopes: Collection[KeyScope], user_agent: str, seconds: int
) -> int | None:
    """Open a session of another user by a key. None if the key was revoked at this moment."""
    values = {"key": key.session_id, "user_id": user_id, "user_agent": user_agent, "seconds": seconds}
    found = await tx.scalar(ISSUE, values | {"scopes": [scope.value for scope in scopes]})
    return None if found is None else int(found)
