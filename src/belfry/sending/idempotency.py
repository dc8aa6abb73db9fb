"""`Idempotency-Key`: the same key and body has one effect and one answer, under concurrency too.

Follows draft-ietf-httpapi-idempotency-key-header. The key's row is inserted first in the transaction of the send, so
the table's primary key decides between requests that run at once: one inserts, the others wait and read its answer.
"""

import hashlib
from typing import TypeVar

import msgspec

from belfry.errors import BadInput, FieldError
from db import Tx
from db.queries import idempotency

KEEP_HOURS = 48

T = TypeVar("T")


class Once(msgspec.Struct, frozen=True):
    """One request that may be repeated: whose, on which route, by which key, with which body. Without a key, never."""

    user_id: int
    route: str
    key: str | None
    body: bytes

    async def answered(self, tx: Tx, kind: type[T]) -> T | None:
        """The answer to the first such request, or None if this is the first.

        Raises:
            BadInput: the key was used with another body.
        """
        if self.key is None:
            return None
        request_hash = hashlib.sha256(self.body).digest()
        answer = await idempotency.reserve(
            tx, user_id=self.user_id, route=self.route, key=self.key, request_hash=request_hash
        )
        if answer is None:
            return None
        if answer.request_hash != request_hash or answer.response is None:
            raise BadInput(FieldError("Idempotency-Key", "this key was already used with another body"))
        return msgspec.json.decode(answer.response, type=kind)

    async def keep(self, tx: Tx, answer: object) -> None:
        """Remember the answer, in the transaction that does what it says."""
        if self.key is not None:
            await idempotency.keep(
                tx, user_id=self.user_id, route=self.route, key=self.key, response=msgspec.json.encode(answer)
            )
