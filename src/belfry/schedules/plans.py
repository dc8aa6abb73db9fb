"""What is asked of a schedule, checked: a plan that can be kept, and run without surprises."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from belfry.errors import BadInput, Conflict, FieldError
from belfry.intake import fields
from belfry.intake.fields import Body
from belfry.schedules import cron, variables
from belfry.sending.messages import Words
from db import Tx
from db.models import Action, Channel, LatePolicy
from db.queries import audit, schedules, users
from db.queries.schedules import Plan, Schedule
from db.queries.users import Actor

__all__ = ["EVERYONE", "NewSchedule", "ScheduleChange", "advance", "change", "create", "remove"]

EVERYONE: Literal["everyone"] = "everyone"
WEEK = 7 * 24 * 3_600
LARGEST_COUNT = 10**9  # of runs: a title must still fit with it

Cron = Annotated[str, Meta(min_length=1, max_length=255, pattern=fields.ONE_LINE, examples=["0 7 * * MON-FRI"])]
Audience = Annotated[
    Literal["everyone"] | Annotated[list[fields.Recipient], Meta(min_length=1, max_length=fields.MANY)],
    Meta(description="`everyone`, or users by id or e-mail address"),
]
Grace = Annotated[int, Meta(ge=60, le=WEEK, description="Seconds a run may be late before `skip` skips it")]


class NewSchedule(Words, frozen=True, kw_only=True):
    """`title` and `content` may hold `{date}`, `{count}` (which run this is) and `{schedule}` (its name)."""

    name: fields.Name
    cron: Cron
    time_zone: fields.TimeZone = "UTC"
    audience: Audience = EVERYONE
    channels: fields.Channels = msgspec.field(default_factory=lambda: [Channel.INBOX])
    enabled: bool = True
    late_policy: LatePolicy = LatePolicy.SEND
    grace_seconds: Grace = 3_600


class ScheduleChange(Body, frozen=True, kw_only=True):
    """What is left out stays as it is."""

    name: fields.Name | UnsetType = UNSET
    cron: Cron | UnsetType = UNSET
    time_zone: fields.TimeZone | UnsetType = UNSET
    audience: Audience | UnsetType = UNSET
    title: fields.Title | UnsetType = UNSET
    content: fields.Content | UnsetType = UNSET
    link: fields.Link | UnsetType | None = UNSET
    priority: fields.Priority | UnsetType = UNSET
    tags: fields.Tags | UnsetType = UNSET
    channels: fields.Channels | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET
    late_policy: LatePolicy | UnsetType = UNSET
    grace_seconds: Grace | UnsetType = UNSET


async def create(tx: Tx, wanted: NewSchedule, *, owner: Actor, by: Actor | str) -> Schedule:
    """Make a schedule that sends as its owner; what is due from now on it sends.

    Raises:
        BadInput: names the fields that cannot be.
        Conflict: another schedule has the name.
    """
    given = msgspec.structs.asdict(wanted)
    plan = Plan(**given | {"audience": await _audience(tx, wanted.audience)})
    schedule_id = await schedules.create(tx, _tidy(plan), owner_id=owner.user_id)
    if schedule_id is None:
        raise _taken(plan.name)
    made = await _checked(tx, schedule_id)
    await advance(tx, made)
    await _record(tx, Action.SCHEDULE_CREATED, made, by=by, cron=made.cron, time_zone=made.time_zone)
    return made


async def change(tx: Tx, schedule: Schedule, wanted: ScheduleChange, *, by: Actor | str) -> Schedule:
    """Change a schedule the caller has locked. New times, and those of a resumed one, count from now on.

    Raises as `create` does.
    """
    given = {name: value for name, value in msgspec.structs.asdict(wanted).items() if value is not UNSET}
    if "audience" in given:
        given["audience"] = await _audience(tx, given["audience"])
    plan = Plan(**{name: getattr(schedule, name) for name in Plan.__struct_fields__} | given)
    if not await schedules.change(tx, schedule.id, _tidy(plan)):
        raise _taken(plan.name)
    changed = await _checked(tx, schedule.id)
    if _times(changed) != _times(schedule):
        await advance(tx, changed)
    await _record(tx, Action.SCHEDULE_CHANGED, changed, by=by, changed=sorted(given))
    return changed


async def remove(tx: Tx, schedule: Schedule, *, by: Actor | str) -> None:
    """Delete a schedule the caller has locked, and its ledger with it."""
    await schedules.remove(tx, schedule.id)
    await _record(tx, Action.SCHEDULE_DELETED, schedule, by=by)


async def advance(tx: Tx, schedule: Schedule) -> None:
    """Set when it is due next. Everything due until now counts as considered."""
    due = cron.upcoming(schedule.cron, schedule.time_zone, after=schedule.now, count=1)
    await schedules.advance(tx, schedule.id, next_due_at=due[0] if due else None)


async def _checked(tx: Tx, schedule_id: int) -> Schedule:
    """The row just written, by the database's clock. Raises `BadInput`, which takes it back."""
    schedule = await schedules.one(tx, schedule_id)
    assert schedule is not None
    cron.check(schedule.cron, schedule.time_zone, now=schedule.now)
    _check_words(schedule, schedule.now)
    return schedule


def _times(plan: Plan) -> tuple[str, str, bool]:
    return plan.cron, plan.time_zone, plan.enabled


async def _record(tx: Tx, action: Action, schedule: Schedule, *, by: Actor | str, **detail: object) -> None:
    await audit.record(tx, action, actor=by, subject=f"schedule {schedule.id}", name=schedule.name, **detail)


async def _audience(tx: Tx, audience: str | list[int | str]) -> list[int] | None:
    if not isinstance(audience, list):
        return None
    found = await users.recipients(tx, audience)
    unknown = [index for index, user_id in enumerate(found) if user_id is None]
    if unknown:
        raise BadInput(
            *(FieldError(f"audience[{index}]", "no user has this id or e-mail address") for index in unknown[:20])
        )
    return list(dict.fromkeys(user_id for user_id in found if user_id is not None))


def _check_words(plan: Plan, now: datetime) -> None:
    known = variables.values(schedule=plan.name, due_at=now, count=LARGEST_COUNT)
    for field, text, longest in (("title", plan.title, 255), ("content", plan.content, 20_000)):
        if len(variables.fill(field, text, known)) > longest:
            raise BadInput(FieldError(field, f"must have at most {longest} characters with its variables filled in"))


def _tidy(plan: Plan) -> Plan:
    return msgspec.structs.replace(
        plan, tags=list(dict.fromkeys(plan.tags)), channels=list(dict.fromkeys(plan.channels))
    )


def _taken(name: str) -> Conflict:
    return Conflict(f"There is a schedule with the name {name!r} already.")
