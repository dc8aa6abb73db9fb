"""What was done, by whom: written in the transaction that does it, read by admins."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import text

from db import Tx
from db.models import Action
from db.queries.batches import delete_some, some
from db.queries.paging import Paging
from db.queries.users import Actor

__all__ = ["COMMAND_LINE", "RECORD_MADE", "SCHEDULER", "Entry", "Note", "forget", "page", "record"]

COMMAND_LINE = "the command line"  # whoever may run `belfry` on the machine; no account of ours
SCHEDULER = "the scheduler"


class Entry(msgspec.Struct, frozen=True):
    """`actor_id` is null for what is not an account, and for one that is gone; `actor` stays."""

    id: int
    at: datetime
    actor_id: int | None
    actor: str
    action: Action
    subject: str
    detail: dict[str, Any]


class Note(msgspec.Struct, frozen=True):
    """What is to be remembered, but for what it was done to. `actor` is an account or, in a few words, what else."""

    action: Action
    actor: Actor | str
    detail: Mapping[str, object] = {}

    @property
    def values(self) -> dict[str, object]:
        return {
            "actor_id": self.actor.user_id if isinstance(self.actor, Actor) else None,
            "actor": self.actor.email if isinstance(self.actor, Actor) else self.actor,
            "action": self.action.value,
            "detail": msgspec.json.encode(self.detail).decode(),
        }


INTO = "INSERT INTO audit (actor_id, actor, action, subject, detail)"
NOTE = "CAST(:actor_id AS bigint), CAST(:actor AS text), CAST(:action AS text)"
RECORD = text(f"{INTO} VALUES ({NOTE}, :subject, CAST(:detail AS jsonb))")
# For the statement that makes a notification, which spares a round trip; without an action it records nothing.
RECORD_MADE = f"""
    {INTO} SELECT {NOTE}, 'notification ' || made.id, CAST(:detail AS jsonb)
    FROM made WHERE CAST(:action AS text) IS NOT NULL
"""  # noqa: S608
PAGE = text("""
    SELECT id, at, actor_id, actor, action, subject, detail FROM audit
    WHERE id < :before AND (CAST(:action AS text) IS NULL OR action = :action)
    ORDER BY id DESC LIMIT :limit OFFSET :offset
""")
FORGET = some("audit", "at < now() - make_interval(days => :days)")


async def record(tx: Tx, action: Action, *, actor: Actor | str, subject: str, **detail: object) -> None:
    """Write down what this transaction does."""
    await tx.execute(RECORD, Note(action, actor, detail).values | {"subject": subject})


async def page(tx: Tx, paging: Paging, *, action: Action | None) -> list[Entry]:
    """Newest first; of one action only, if one is given."""
    values = {"action": action and action.value} | paging.values
    return [msgspec.convert(dict(row), Entry) for row in (await tx.execute(PAGE, values)).mappings()]


async def forget(tx: Tx, *, days: int) -> bool:
    """Drop some of what is older than `days`. Whether there may be more."""
    return await delete_some(tx, FORGET, days=days)
