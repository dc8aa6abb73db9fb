"""Who is asking: one look at the session, and at its user as that user is now."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import text

from db import Tx
from db.models import Action, KeyScope
from db.queries.batches import delete_some, some
from db.queries.users import Actor


class Principal(Actor, frozen=True):
    """Who is asking, by which session, and until when that holds; `authenticated_at` is when it showed a password.

    `scopes` is None for a login, which may do whatever its user may. `key` names an API key, and `networks` are the
    addresses it is good from, all if there are none.
    """

    session_id: int
    expires_at: datetime
    authenticated_at: datetime
    last_seen_at: datetime | None = None
    scopes: frozenset[KeyScope] | None = None
    key: str | None = None
    networks: tuple[str, ...] = ()


class Device(msgspec.Struct, frozen=True):
    """A login as its user sees it in a list."""

    id: int
    user_agent: str
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime


# What was issued by a key ends with what the key may do; nobody acts as an admin, also not as one who became it.
HOLDS = """
    s.expires_at > now() AND u.disabled_at IS NULL AND (s.issued_by IS NULL OR u.role <> 'admin' AND EXISTS (
        SELECT FROM sessions i JOIN users o ON o.id = i.user_id
        WHERE i.id = s.issued_by AND i.expires_at > now() AND o.disabled_at IS NULL AND o.role = 'admin'
    ))
"""
PRINCIPAL = """
    u.id AS user_id, s.id AS session_id, u.email, u.display_name, u.role, s.authenticated_at, s.last_seen_at, s.scopes,
    k.name AS key, coalesce(k.networks, '{}') AS networks
"""
FIND = text(f"""
    SELECT {PRINCIPAL}, s.expires_at, s.token_hash
    FROM sessions s JOIN users u ON u.id = s.user_id LEFT JOIN api_keys k ON k.session_id = s.id
    WHERE (s.id = ANY(:ids) OR s.token_hash = ANY(:hashes)) AND {HOLDS}
""")  # noqa: S608
ALIVE = text(f"SELECT s.id FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = ANY(:ids) AND {HOLDS}")  # noqa: S608
OPEN = text("""
    INSERT INTO sessions (user_id, token_hash, user_agent, expires_at)
    VALUES (:user_id, :token_hash, :user_agent, now() + make_interval(days => :days))
    RETURNING id
""")
# Locks are skipped: whoever holds one is writing the same. A login slides on, a key ends when it was made to. The audit
# is told of a key once a day.
SEEN = text("""
    WITH used AS (
        SELECT id, last_seen_at FROM sessions WHERE id = ANY(:ids) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
    ), seen AS (
        UPDATE sessions s SET last_seen_at = now(), expires_at = CASE WHEN scopes IS NULL
            THEN least(now() + make_interval(days => :days), created_at + make_interval(days => :most_days))
            ELSE expires_at END
        FROM used WHERE s.id = used.id RETURNING s.id, s.user_id
    )
    INSERT INTO audit (actor_id, actor, action, subject, detail)
    SELECT u.id, u.email, CAST(:key_used AS text), 'API key ' || k.session_id, jsonb_build_object('name', k.name)
    FROM used JOIN seen USING (id) JOIN api_keys k ON k.session_id = id JOIN users u ON u.id = seen.user_id
    WHERE used.last_seen_at IS NULL OR used.last_seen_at < date_trunc('day', now())
""")
DEVICES = text("""
    SELECT id, user_agent, created_at, last_seen_at, expires_at FROM sessions
    WHERE user_id = :user_id AND scopes IS NULL AND expires_at > now() ORDER BY last_seen_at DESC, id DESC
""")
CLOSE = text("DELETE FROM sessions WHERE id = :id AND user_id = :user_id AND scopes IS NULL RETURNING id")
CLOSE_ALL = text("""
    DELETE FROM sessions WHERE id IN (
        SELECT id FROM sessions s WHERE user_id = :user_id AND id IS DISTINCT FROM CAST(:but AS bigint)
        AND NOT EXISTS (SELECT FROM api_keys k WHERE k.session_id = s.id) ORDER BY id FOR UPDATE
    ) RETURNING id
""")
# A login that is locked is being used or ended at this moment.
CLOSE_OLDEST = text("""
    DELETE FROM sessions WHERE id IN (
        SELECT id FROM sessions WHERE id IN (
            SELECT id FROM sessions WHERE user_id = :user_id AND scopes IS NULL
            ORDER BY last_seen_at DESC, id DESC OFFSET :keep
        ) ORDER BY id FOR UPDATE SKIP LOCKED
    ) RETURNING user_id, id
""")
CLOSE_BY_COOKIE = text("DELETE FROM sessions WHERE token_hash = :token_hash AND scopes IS NULL RETURNING user_id, id")
CONFIRM = text("""
    UPDATE sessions SET authenticated_at = now(), token_hash = coalesce(:token_hash, token_hash) WHERE id = :id
    RETURNING id
""")
FORGET = some("sessions", "expires_at <= now()")


async def open_(tx: Tx, user_id: int, *, token_hash: bytes, user_agent: str, days: int) -> int:
    values = {"user_id": user_id, "token_hash": token_hash, "user_agent": user_agent, "days": days}
    return int(await tx.scalar(OPEN, values))


async def find(tx: Tx, *, ids: Sequence[int], hashes: Sequence[bytes]) -> list[tuple[bytes | None, Principal]]:
    """The sessions that still hold of those with these ids or tokens: the token's hash, and whose each is."""
    rows = (await tx.execute(FIND, {"ids": list(ids), "hashes": list(hashes)})).mappings()
    return [(row["token_hash"], msgspec.convert(dict(row), Principal)) for row in rows]


async def alive(tx: Tx, session_ids: list[int]) -> set[int]:
    """Those of the given sessions that still hold."""
    return set((await tx.scalars(ALIVE, {"ids": session_ids})).all())


async def seen(tx: Tx, session_ids: Sequence[int], *, days: int, most_days: int) -> None:
    """Note that sessions are in use: a login holds for `days` more, and never for more than `most_days` in all."""
    values = {"ids": list(session_ids), "days": days, "most_days": most_days, "key_used": Action.KEY_USED.value}
    await tx.execute(SEEN, values)


async def devices(tx: Tx, user_id: int) -> list[Device]:
    """A user's logins, the one seen last first."""
    rows = (await tx.execute(DEVICES, {"user_id": user_id})).mappings()
    return [msgspec.convert(dict(row), Device) for row in rows]


async def close(tx: Tx, session_id: int, *, user_id: int) -> bool:
    """End one of a user's logins. Whether there was such a one."""
    return await tx.scalar(CLOSE, {"id": session_id, "user_id": user_id}) is not None


async def close_all(tx: Tx, user_id: int, *, but: int | None = None) -> list[int]:
    """End all sessions of a user except API keys, and except one if it is named. Returns their ids."""
    return list(await tx.scalars(CLOSE_ALL, {"user_id": user_id, "but": but}))


async def close_oldest(tx: Tx, user_id: int, *, keep: int) -> list[tuple[int, int]]:
    """End those logins of a user that were used longest ago, but for so many. Returns user and session of each."""
    return [(row.user_id, row.id) for row in await tx.execute(CLOSE_OLDEST, {"user_id": user_id, "keep": keep})]


async def close_by_cookie(tx: Tx, token_hash: bytes) -> list[tuple[int, int]]:
    """End the login of a cookie, if there is one. Returns its user and session."""
    return [(row.user_id, row.id) for row in await tx.execute(CLOSE_BY_COOKIE, {"token_hash": token_hash})]


async def confirm(tx: Tx, session_id: int, *, token_hash: bytes | None) -> bool:
    """Note that a login showed its password again, and what its cookie is from now on. False if it ended."""
    return await tx.scalar(CONFIRM, {"id": session_id, "token_hash": token_hash}) is not None


async def forget_expired(tx: Tx) -> bool:
    """Drop some of those that have ended. Whether there may be more."""
    return await delete_some(tx, FORGET)
