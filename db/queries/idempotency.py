"""The first answer to a keyed request, kept so that its repeats get the same."""

import msgspec
from sqlalchemy import text

from db import Tx
from db.queries.batches import delete_some, some


class Answer(msgspec.Struct, frozen=True):
    request_hash: bytes
    response: bytes | None


RESERVE = text("""
    INSERT INTO idempotency (user_id, route, key, request_hash) VALUES (:user_id, :route, :key, :request_hash)
    ON CONFLICT DO NOTHING
""")
FOUND = text("""
    SELECT request_hash, response FROM idempotency
    WHERE user_id = :user_id AND route = :route AND key = :key
""")
KEEP = text("""
    UPDATE idempotency SET response = :response
    WHERE user_id = :user_id AND route = :route AND key = :key
""")
FORGET = some("idempotency", "created_at < now() - make_interval(hours => :hours)")


async def reserve(tx: Tx, *, user_id: int, route: str, key: str, request_hash: bytes) -> Answer | None:
    """Take the key for this transaction, or return the answer of the one that took it before.

    Waits for a transaction that holds the same key: if it commits its answer is returned, if not the key is ours.
    """
    values = {"user_id": user_id, "route": route, "key": key}
    if (await tx.execute(RESERVE, values | {"request_hash": request_hash})).rowcount == 1:
        return None
    return Answer(**(await tx.execute(FOUND, values)).mappings().one())


async def keep(tx: Tx, *, user_id: int, route: str, key: str, response: bytes) -> None:
    values = {"user_id": user_id, "route": route, "key": key, "response": response}
    await tx.execute(KEEP, values)


async def forget(tx: Tx, *, hours: int) -> bool:
    """Drop some of what is older than `hours`. Whether there may be more."""
    return await delete_some(tx, FORGET, hours=hours)
