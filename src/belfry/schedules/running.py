"""Running schedules. The row in the ledger and what it sends are one transaction, so that a due time sends once."""

import logging
from datetime import datetime
from zoneinfo import ZoneInfo

from belfry.errors import Conflict
from belfry.schedules import cron, plans, variables
from belfry.schedules.cron import MOST_MISSED
from belfry.sending import broadcasts, publish
from belfry.sending.messages import Words
from belfry.sending.publish import NOTHING, Published
from db import Tx, is_passing
from db.models import Action, Channel, LatePolicy, Outcome
from db.queries import audit, schedules, users
from db.queries.audit import SCHEDULER
from db.queries.schedules import Run, Schedule
from db.queries.users import Actor

__all__ = ["run_due", "run_now"]

OVERTAKEN = "missed; only the newest missed run is sent"
NOT_LISTED = f"{OVERTAKEN}. Earlier ones than the last {MOST_MISSED} are not listed"

logger = logging.getLogger("belfry.schedules")


class CannotRun(Exception):
    """The run has failed, and a repeat would fail the same way. The message is for the ledger."""


async def run_due(tx: Tx, schedule_id: int) -> Published:
    """Run what a schedule has due, if it still has: the newest time that was missed, as the late policy says."""
    schedule = await schedules.claim_due(tx, schedule_id)
    if schedule is None:
        return NOTHING
    due = cron.missed(schedule.cron, schedule.time_zone, after=schedule.considered_at, until=schedule.now)
    published = NOTHING
    if due:
        reasons = [NOT_LISTED if len(due) > MOST_MISSED and index == 0 else OVERTAKEN for index in range(len(due) - 1)]
        await schedules.skip_runs(tx, schedule.id, list(zip(due, reasons, strict=False)))
        published = await _run_newest(tx, schedule, due[-1], skipped=len(due) - 1)
    await plans.advance(tx, schedule)
    return published


async def run_now(tx: Tx, schedule: Schedule, *, by: Actor | str) -> tuple[Run, Published]:
    """Run a schedule the caller has locked, beside its due times; also a paused one. The sender is still its owner.

    Raises:
        Conflict: it was run at this very moment.
    """
    run_id = await schedules.claim_run(tx, schedule.id, schedule.now, manual=True)
    if run_id is None:
        raise Conflict("This schedule was run at this very moment.")
    run, published = await _send(tx, schedule, run_id, schedule.now)
    await _record(tx, schedule, run, actor=by)
    return run, published


async def _run_newest(tx: Tx, schedule: Schedule, due_at: datetime, *, skipped: int) -> Published:
    run_id = await schedules.claim_run(tx, schedule.id, due_at, manual=False)
    if run_id is None:
        return NOTHING
    late = (schedule.now - due_at).total_seconds()
    if schedule.late_policy is LatePolicy.SKIP and late > schedule.grace_seconds:
        reason = f"{late:.0f} s late; its grace is {schedule.grace_seconds} s"
        run, published = await schedules.settle_run(tx, run_id, Outcome.SKIPPED, reason=reason), NOTHING
    else:
        run, published = await _send(tx, schedule, run_id, due_at)
    await _record(tx, schedule, run, actor=SCHEDULER, **({"skipped_before": skipped} if skipped else {}))
    return published


async def _send(tx: Tx, schedule: Schedule, run_id: int, due_at: datetime) -> tuple[Run, Published]:
    """Publish for a claimed run and settle it. What cannot be published leaves nothing but the reason."""
    try:
        async with tx.begin_nested():
            published, reason = await _publish(tx, schedule, due_at)
    except CannotRun as failure:
        return await schedules.settle_run(tx, run_id, Outcome.FAILED, reason=str(failure)), NOTHING
    except Exception as error:
        if is_passing(error):
            raise
        logger.exception("schedule %d cannot be run", schedule.id)
        reason = "an error of ours; see the worker's log"
        return await schedules.settle_run(tx, run_id, Outcome.FAILED, reason=reason), NOTHING
    ids = [item.id for item in published.items]
    return await schedules.settle_run(tx, run_id, Outcome.SENT, reason=reason, notification_ids=ids), published


async def _publish(tx: Tx, schedule: Schedule, due_at: datetime) -> tuple[Published, str | None]:
    """What was published, and what there is to say about it. Raises `CannotRun`."""
    sender = _sender(schedule)
    local = due_at.astimezone(ZoneInfo(schedule.time_zone))
    known = variables.values(schedule=schedule.name, due_at=local, count=schedule.sent + 1)
    words = Words(
        title=variables.fill("title", schedule.title, known),
        content=variables.fill("content", schedule.content, known),
        link=schedule.link,
        priority=schedule.priority,
        tags=schedule.tags,
    )
    message = words.message([Channel(each) for each in schedule.channels])
    if schedule.audience is None:
        return await publish.publish_broadcast(tx, message, sender=sender), None
    found = await users.recipients(tx, list(schedule.audience))
    to = [user_id for user_id in found if user_id is not None]
    if not to:
        raise CannotRun("nobody of its audience is there any more")
    gone = len(found) - len(to)
    reason = f"{gone} of {len(found)} recipients are gone or disabled" if gone else None
    return await publish.publish(tx, message, to=to, sender=sender), reason


def _sender(schedule: Schedule) -> Actor:
    if schedule.owner is None:
        raise CannotRun("its owner was deleted")
    if (reason := broadcasts.unfit(schedule.owner, disabled=schedule.owner_disabled)) is not None:
        raise CannotRun(f"its owner {schedule.owner.email} cannot send: {reason}")
    return schedule.owner


async def _record(tx: Tx, schedule: Schedule, run: Run, *, actor: Actor | str, **more: object) -> None:
    detail = {"name": schedule.name, "run": run.id, "due_at": run.due_at, "outcome": run.outcome, "reason": run.reason}
    await audit.record(tx, Action.SCHEDULE_RUN, actor=actor, subject=f"schedule {schedule.id}", **detail, **more)
