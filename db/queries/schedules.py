"""Schedules as they are kept, and the ledger of their runs."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import text

from db import Tx
from db.models import LatePolicy, Outcome, Role
from db.queries.batches import delete_some, some
from db.queries.paging import Paging
from db.queries.users import Actor

__all__ = [
    "Plan",
    "Run",
    "Schedule",
    "advance",
    "by_name",
    "change",
    "claim_due",
    "claim_run",
    "create",
    "due",
    "every",
    "forget_runs",
    "lock",
    "one",
    "page",
    "remove",
    "runs",
    "settle_run",
    "skip_runs",
]


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be sent when, as its owner worded it. `audience` None is everyone, else users by id."""

    name: str
    cron: str
    time_zone: str
    audience: list[int] | None
    title: str
    content: str
    link: str | None
    priority: int
    tags: list[str]
    channels: list[str]
    enabled: bool
    late_policy: LatePolicy
    grace_seconds: int


class Schedule(Plan, frozen=True, kw_only=True):
    """A plan and how far it got. `now` is the database's clock when the row was read."""

    id: int
    owner_id: int | None
    owner_email: str | None
    owner_name: str | None
    owner_role: Role | None
    owner_disabled: bool
    sent: int
    considered_at: datetime
    created_at: datetime
    updated_at: datetime
    now: datetime

    @property
    def owner(self) -> Actor | None:
        if self.owner_id is None or self.owner_email is None or self.owner_role is None:
            return None
        return Actor(self.owner_id, self.owner_email, self.owner_name or "", self.owner_role)


class Run(msgspec.Struct, frozen=True):
    """One due time and what came of it; `manual` ones were due when somebody asked for them."""

    id: int
    due_at: datetime
    started_at: datetime
    manual: bool
    outcome: Outcome
    reason: str | None
    notification_ids: list[int]


PLAN = ", ".join(field.name for field in msgspec.structs.fields(Plan))
GIVEN = """
    :name, :cron, :time_zone, CAST(:audience AS bigint[]), :title, :content, :link, :priority,
    CAST(:tags AS text[]), CAST(:channels AS text[]), :enabled, :late_policy, :grace_seconds
"""
FOUND = f"""
    SELECT s.id, {", ".join(f"s.{field.name}" for field in msgspec.structs.fields(Plan))},
        s.owner_id, u.email AS owner_email, u.display_name AS owner_name, u.role AS owner_role,
        coalesce(u.disabled_at IS NOT NULL, false) AS owner_disabled,
        s.sent, s.considered_at, s.created_at, s.updated_at, now() AS now
    FROM schedules s LEFT JOIN users u ON u.id = s.owner_id
"""  # noqa: S608
ONE = text(f"{FOUND} WHERE s.id = :id")
BY_NAME = text(f"{FOUND} WHERE s.name = :name FOR UPDATE OF s")
LOCK = text(f"{FOUND} WHERE s.id = :id FOR UPDATE OF s")
PAGE = text(f"{FOUND} WHERE s.id < :before ORDER BY s.id DESC LIMIT :limit OFFSET :offset")
EVERY = text(f"{FOUND} ORDER BY s.name")
CLAIM_DUE = text(f"{FOUND} WHERE s.id = :id AND s.enabled AND s.next_due_at <= now() FOR UPDATE OF s SKIP LOCKED")
DUE = text("SELECT id FROM schedules WHERE enabled AND next_due_at <= now() ORDER BY next_due_at, id")
CREATE = text(f"""
    INSERT INTO schedules (owner_id, {PLAN}) VALUES (:owner_id, {GIVEN}) ON CONFLICT (name) DO NOTHING RETURNING id
""")  # noqa: S608
CHANGE = text(f"""
    UPDATE schedules SET ({PLAN}) = ROW ({GIVEN}), updated_at = now()
    WHERE id = :id AND NOT EXISTS (SELECT FROM schedules other WHERE other.name = :name AND other.id <> :id)
""")  # noqa: S608
ADVANCE = text("UPDATE schedules SET considered_at = now(), next_due_at = :next_due_at WHERE id = :id")
REMOVE = text("DELETE FROM schedules WHERE id = :id")

RUN = "id, due_at, started_at, manual, outcome, reason, notification_ids"
CLAIM_RUN = text("""
    INSERT INTO schedule_runs (schedule_id, due_at, manual, outcome) VALUES (:schedule_id, :due_at, :manual, 'failed')
    ON CONFLICT (schedule_id, due_at) DO NOTHING RETURNING id
""")
SETTLE_RUN = text(f"""
    WITH counted AS (
        UPDATE schedules SET sent = sent + 1
        WHERE id = (SELECT schedule_id FROM schedule_runs WHERE id = :id) AND :outcome = 'sent'
    )
    UPDATE schedule_runs
    SET outcome = :outcome, reason = :reason, notification_ids = CAST(:notification_ids AS bigint[])
    WHERE id = :id RETURNING {RUN}
""")  # noqa: S608
SKIP_RUNS = text("""
    INSERT INTO schedule_runs (schedule_id, due_at, manual, outcome, reason)
    SELECT :schedule_id, due_at, false, 'skipped', reason
    FROM unnest(CAST(:due AS timestamptz[]), CAST(:reasons AS text[])) AS missed (due_at, reason)
    ON CONFLICT (schedule_id, due_at) DO NOTHING
""")
RUNS = text(f"""
    SELECT {RUN} FROM schedule_runs WHERE schedule_id = :schedule_id AND id < :before
    ORDER BY id DESC LIMIT :limit OFFSET :offset
""")  # noqa: S608
FORGET_RUNS = some("schedule_runs", "started_at < now() - make_interval(days => :days)")


async def create(tx: Tx, plan: Plan, *, owner_id: int) -> int | None:
    """Its id, or None if another schedule has the name. It has no due time before `advance`."""
    found: int | None = await tx.scalar(CREATE, msgspec.structs.asdict(plan) | {"owner_id": owner_id})
    return found


async def change(tx: Tx, schedule_id: int, plan: Plan) -> bool:
    """Whether it was changed; not if another schedule has the name."""
    return (await tx.execute(CHANGE, msgspec.structs.asdict(plan) | {"id": schedule_id})).rowcount == 1


async def advance(tx: Tx, schedule_id: int, *, next_due_at: datetime | None) -> None:
    """Record that everything due until now has been considered, and when to look again."""
    await tx.execute(ADVANCE, {"id": schedule_id, "next_due_at": next_due_at})


async def remove(tx: Tx, schedule_id: int) -> None:
    await tx.execute(REMOVE, {"id": schedule_id})


async def one(tx: Tx, schedule_id: int) -> Schedule | None:
    return await _first(tx, ONE, id=schedule_id)


async def lock(tx: Tx, schedule_id: int) -> Schedule | None:
    """As `one`, held until the transaction ends."""
    return await _first(tx, LOCK, id=schedule_id)


async def by_name(tx: Tx, name: str) -> Schedule | None:
    """As `lock`, by name."""
    return await _first(tx, BY_NAME, name=name)


async def claim_due(tx: Tx, schedule_id: int) -> Schedule | None:
    """As `lock`, but None if it is not due, or no longer, or another scheduler is at it."""
    return await _first(tx, CLAIM_DUE, id=schedule_id)


async def due(tx: Tx) -> list[int]:
    """The schedules with something due, the longest waiting first."""
    return list(await tx.scalars(DUE))


async def page(tx: Tx, paging: Paging) -> list[Schedule]:
    """Newest first."""
    rows = (await tx.execute(PAGE, paging.values)).mappings()
    return [msgspec.convert(dict(row), Schedule) for row in rows]


async def every(tx: Tx) -> list[Schedule]:
    """All schedules, by name."""
    return [msgspec.convert(dict(row), Schedule) for row in (await tx.execute(EVERY)).mappings()]


async def claim_run(tx: Tx, schedule_id: int, due_at: datetime, *, manual: bool) -> int | None:
    """Take a due time for this transaction; None if somebody has. Nobody sees the row before it is settled."""
    values = {"schedule_id": schedule_id, "due_at": due_at, "manual": manual}
    found: int | None = await tx.scalar(CLAIM_RUN, values)
    return found


async def settle_run(
    tx: Tx, run_id: int, outcome: Outcome, *, reason: str | None = None, notification_ids: Sequence[int] = ()
) -> Run:
    """Say what came of a claimed run. One that was sent is counted."""
    values = {"id": run_id, "outcome": outcome.value, "reason": reason, "notification_ids": list(notification_ids)}
    return msgspec.convert(dict((await tx.execute(SETTLE_RUN, values)).mappings().one()), Run)


async def skip_runs(tx: Tx, schedule_id: int, missed: Sequence[tuple[datetime, str]]) -> None:
    """Put due times that will not be sent into the ledger, each with the reason."""
    due, reasons = [at for at, _ in missed], [reason for _, reason in missed]
    await tx.execute(SKIP_RUNS, {"schedule_id": schedule_id, "due": due, "reasons": reasons})


async def runs(tx: Tx, paging: Paging, schedule_id: int) -> list[Run]:
    """The ledger, newest first."""
    values = {"schedule_id": schedule_id} | paging.values
    return [msgspec.convert(dict(row), Run) for row in (await tx.execute(RUNS, values)).mappings()]


async def forget_runs(tx: Tx, *, days: int) -> bool:
    """Drop some of what is older than `days`. Whether there may be more."""
    return await delete_some(tx, FORGET_RUNS, days=days)


async def _first(tx: Tx, statement: Any, **given: object) -> Schedule | None:
    row = (await tx.execute(statement, given)).mappings().first()
    return msgspec.convert(dict(row), Schedule) if row else None
