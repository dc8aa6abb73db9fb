"""What was done, by whom: written in the transaction that does it, read by admins."""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import text

from db import Tx
from db.models import Action
from db.queries.users import Actor

__all__ = ["COMMAND_LINE", "SCHEDULER", "Entry", "forget", "page", "record"]

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


RECORD = text("""
    INSERT INTO audit (actor_id, actor, action, subject, detail)
    VALUES (:actor_id, :actor, :action, :subject, CAST(:detail AS jsonb))
""")
PAGE = text("""
    SELECT id, at, actor_id, actor, action, subject, detail FROM audit
    WHERE id < :before AND (CAST(:action AS text) IS NULL OR action = :action)
    ORDER BY id DESC LIMIT :limit OFFSET :offset
""")
FORGET = text("DELETE FROM audit WHERE at < now() - make_interval(days => :days)")


async def record(tx: Tx, action: Action, *, actor: Actor | str, subject: str, **detail: object) -> None:
    """Write down what this transaction does. `actor` is an account or, in a few words, what else did it."""
    values = {
        "actor_id": actor.user_id if isinstance(actor, Actor) else None,
        "actor": actor.email if isinstance(actor, Actor) else actor,
        "action": action.value,
        "subject": subject,
        "detail": msgspec.json.encode(detail).decode(),
    }
    await tx.execute(RECORD, values)


async def page(tx: Tx, *, action: Action | None, before: int, offset: int, limit: int) -> list[Entry]:
    """Newest first, with an id below `before`; of one action only, if one is given."""
    values = {"action": action and action.value, "before": before, "offset": offset, "limit": limit}
    return [msgspec.convert(dict(row), Entry) for row in (await tx.execute(PAGE, values)).mappings()]


async def forget(tx: Tx, *, days: int) -> None:
    """Drop what is older than `days`."""
    await tx.execute(FORGET, {"days": days})
