"""Refresh tokens: each is used once, and makes the next."""

from collections.abc import Sequence
from datetime import timedelta

import msgspec
from sqlalchemy import text

from db import Tx
from db.queries.batches import delete_some, some
from db.queries.sessions import HOLDS
from db.queries.users import Actor


class Family(Actor, frozen=True):
    """The login that a refresh token belongs to, with all that came before and after it."""

    session_id: int


class Standing(msgspec.Struct, frozen=True):
    """What became of a token. `next` is the hash of the one it made, if that has not been used either."""

    used: bool
    used_lately: bool
    next: bytes | None


ADD = text("INSERT INTO refresh_tokens (token_hash, session_id) VALUES (:token_hash, :session_id)")
# One at a time: of two that come with one token, the second sees what the first did.
LOCK = text(f"""
    SELECT s.id AS session_id, u.id AS user_id, u.email, u.display_name, u.role
    FROM sessions s JOIN users u ON u.id = s.user_id
    WHERE s.id = (SELECT session_id FROM refresh_tokens WHERE token_hash = :token_hash) AND {HOLDS}
    FOR UPDATE OF s
""")  # noqa: S608
STANDING = text("""
    SELECT t.used_at IS NOT NULL AS used, coalesce(t.used_at > now() - :lately, false) AS used_lately,
           (SELECT n.token_hash FROM refresh_tokens n
            WHERE n.token_hash = ANY(:successors) AND n.session_id = t.session_id AND n.used_at IS NULL) AS next
    FROM refresh_tokens t WHERE t.token_hash = :token_hash
""")
ROTATE = text("""
    WITH used AS (
        UPDATE refresh_tokens SET used_at = now() WHERE token_hash = :token_hash AND used_at IS NULL
        RETURNING session_id
    )
    INSERT INTO refresh_tokens (token_hash, session_id) SELECT :successor, session_id FROM used
""")
FORGET = some("refresh_tokens", "used_at < now() - make_interval(days => :days)")


async def add(tx: Tx, session_id: int, *, token_hash: bytes) -> None:
    """Keep the first token of a login."""
    await tx.execute(ADD, {"session_id": session_id, "token_hash": token_hash})


async def lock(tx: Tx, token_hash: bytes) -> Family | None:
    """The login of a token, locked until the transaction ends. None if it is none of ours, or its login has ended."""
    row = (await tx.execute(LOCK, {"token_hash": token_hash})).mappings().first()
    return msgspec.convert(dict(row), Family) if row else None


async def standing(tx: Tx, token_hash: bytes, *, successors: Sequence[bytes], lately: timedelta) -> Standing:
    """What became of a token whose login is locked; `successors` are the hashes of what it may have made."""
    values = {"token_hash": token_hash, "successors": list(successors), "lately": lately}
    row = (await tx.execute(STANDING, values)).mappings().one()
    return msgspec.convert(dict(row), Standing)


async def rotate(tx: Tx, token_hash: bytes, *, successor: bytes) -> None:
    """Use a token up and keep the one it makes."""
    await tx.execute(ROTATE, {"token_hash": token_hash, "successor": successor})


async def forget(tx: Tx, *, days: int) -> bool:
    """Drop some tokens used more than `days` ago: nobody could have used them until now. Whether there may be more."""
    return await delete_some(tx, FORGET, days=days)
