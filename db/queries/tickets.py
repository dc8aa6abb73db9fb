"""Stream tickets: each opens one stream, once."""

from datetime import datetime

import msgspec
from sqlalchemy import text

from db import Tx
from db.queries.batches import delete_some, some
from db.queries.sessions import HOLDS, PRINCIPAL, Principal

# The lock waits for a logout at the same moment, and then finds no session.
ISSUE = text("""
    INSERT INTO stream_tickets (token_hash, session_id, login_expires_at, expires_at)
    SELECT :token_hash, id, :login_expires_at, now() + make_interval(secs => :seconds)
    FROM sessions WHERE id = :session_id FOR KEY SHARE
    RETURNING session_id
""")
# One statement: of several that come with the same ticket, in whatever process, one finds the row.
REDEEM = text(f"""
    WITH used AS (
        DELETE FROM stream_tickets WHERE token_hash = :token_hash RETURNING session_id, login_expires_at, expires_at
    )
    SELECT {PRINCIPAL}, least(s.expires_at, t.login_expires_at) AS expires_at
    FROM used t JOIN sessions s ON s.id = t.session_id JOIN users u ON u.id = s.user_id
    LEFT JOIN api_keys k ON k.session_id = s.id
    WHERE t.expires_at > now() AND t.login_expires_at > now() AND {HOLDS}
""")  # noqa: S608
FORGET = some("stream_tickets", "expires_at <= now()")


async def issue(tx: Tx, session_id: int, *, token_hash: bytes, login_expires_at: datetime, seconds: int) -> bool:
    """Keep a ticket for a login that holds until `login_expires_at`. False if its session has ended."""
    values = {"session_id": session_id, "token_hash": token_hash, "login_expires_at": login_expires_at}
    return await tx.scalar(ISSUE, values | {"seconds": seconds}) is not None


async def redeem(tx: Tx, token_hash: bytes) -> Principal | None:
    """Use a ticket up: whose it is, or None if there is no such ticket, no longer, or its login has ended."""
    row = (await tx.execute(REDEEM, {"token_hash": token_hash})).mappings().first()
    return msgspec.convert(dict(row), Principal) if row else None


async def forget_expired(tx: Tx) -> bool:
    """Drop some of those whose time is over. Whether there may be more."""
    return await delete_some(tx, FORGET)
