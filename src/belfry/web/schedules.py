"""Recurring broadcasts: what is sent when, and what came of it."""

from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec
from litestar import Controller, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from belfry.errors import NotFound
from belfry.schedules import cron, plans, running
from belfry.schedules.plans import EVERYONE, NewSchedule, ScheduleChange
from belfry.web import parameters
from belfry.web.languages import retold
from belfry.web.problems import CHANGES, NEEDS_LOGIN, TAKES_JSON, documented
from belfry.web.sending import SENDING, Sending
from db import Database, Tx
from db.models import LatePolicy, Role
from db.queries import schedules
from db.queries.notifications import Sender
from db.queries.paging import Paging
from db.queries.schedules import Run, Schedule
from db.queries.sessions import Principal

NEXT_RUNS = 5


class ScheduleItem(msgspec.Struct, frozen=True, kw_only=True):
    """A schedule as it stands. `sent` counts its runs that were sent; `next_runs` is empty while it is paused."""

    id: int
    name: str
    cron: str
    time_zone: str
    audience: Literal["everyone"] | list[int]
    title: str
    content: str
    link: str | None
    priority: int
    tags: list[str]
    channels: list[str]
    enabled: bool
    late_policy: LatePolicy
    grace_seconds: int
    owner: Sender | None
    sent: int
    next_runs: list[datetime]
    created_at: datetime
    updated_at: datetime


class SchedulePage(msgspec.Struct, frozen=True):
    items: list[ScheduleItem]
    next_cursor: int | None


class RunPage(msgspec.Struct, frozen=True):
    items: list[Run]
    next_cursor: int | None


class ScheduleController(Controller):
    path = "/v1/schedules"
    tags = ["Schedules"]
    dependencies = SENDING

    @get(responses=documented(*NEEDS_LOGIN, 403, 422), summary="List schedules")
    async def list_page(
        self,
        db: NamedDependency[Database],
        paging: NamedDependency[Paging],
    ) -> SchedulePage:
        """All schedules, newest first, for senders and admins."""
        async with db.statement() as tx:
            found = await schedules.page(tx, paging)
        shown, next_cursor = paging.cut(found)
        return SchedulePage([_item(each) for each in shown], next_cursor)

    @post(responses=documented(*NEEDS_LOGIN, *TAKES_JSON, CHANGES, 409), summary="Make a schedule")
    async def make(
        self, data: JSONBody[NewSchedule], me: NamedDependency[Principal], db: NamedDependency[Database]
    ) -> ScheduleItem:
        """Send something again and again, at the times of a cron expression. Its sender is who makes it."""
        async with db.begin() as tx:
            return _item(await plans.create(tx, data, owner=me, by=me))

    @get("/{schedule_id:int}", responses=documented(*NEEDS_LOGIN, 403, 404), summary="Look at a schedule")
    async def one(self, schedule_id: FromPath[int], db: NamedDependency[Database]) -> ScheduleItem:
        """What it sends, and the next five times."""
        async with db.statement() as tx:
            return _item(_there(await schedules.one(tx, parameters.storable(schedule_id, "schedule"))))

    @patch(
        "/{schedule_id:int}",
        responses=documented(*NEEDS_LOGIN, *TAKES_JSON, CHANGES, 404, 409),
        summary="Change a schedule",
    )
    async def change(
        self,
        schedule_id: FromPath[int],
        data: JSONBody[ScheduleChange],
        me: NamedDependency[Principal],
        db: NamedDependency[Database],
    ) -> ScheduleItem:
        """Change what is given, for its owner and admins. `enabled` pauses and resumes; new times count from now on."""
        async with db.begin() as tx:
            return _item(await plans.change(tx, await _own(tx, schedule_id, me), data, by=me))

    @delete(
        "/{schedule_id:int}",
        status_code=204,
        responses=documented(*NEEDS_LOGIN, CHANGES, 404),
        summary="Delete a schedule",
    )
    async def remove(
        self, schedule_id: FromPath[int], me: NamedDependency[Principal], db: NamedDependency[Database]
    ) -> None:
        """For its owner and admins. The ledger of its runs goes too; what it sent stays."""
        async with db.begin() as tx:
            await plans.remove(tx, await _own(tx, schedule_id, me), by=me)

    @post(
        "/{schedule_id:int}/run",
        status_code=202,
        responses=documented(*NEEDS_LOGIN, CHANGES, 404, 409, 422),
        summary="Run a schedule now",
    )
    async def run(
        self, schedule_id: FromPath[int], sending: NamedDependency[Sending], language: NamedDependency[str]
    ) -> Run:
        """Send it once more, for its owner and admins; also while it is paused. `outcome` says what came of it."""
        async with sending.db.begin() as tx:
            schedule = await _own(tx, schedule_id, sending.me)
            if (first := await sending.once.answered(tx, Run)) is not None:
                return retold(first, language, "reason")
            run, published = await running.run_now(tx, schedule, by=sending.me)
            await sending.once.keep(tx, run)
        published.tell(sending.announcer, sending.bell)
        return retold(run, language, "reason")

    @get("/{schedule_id:int}/runs", responses=documented(*NEEDS_LOGIN, 403, 404, 422), summary="The ledger of runs")
    async def runs(
        self,
        schedule_id: FromPath[int],
        db: NamedDependency[Database],
        paging: NamedDependency[Paging],
        language: NamedDependency[str],
    ) -> RunPage:
        """What came of each due time, newest first, for senders and admins."""
        async with db.snapshot() as tx:
            schedule = _there(await schedules.one(tx, parameters.storable(schedule_id, "schedule")))
            found = await schedules.runs(tx, paging, schedule.id)
        return RunPage(*paging.cut([retold(run, language, "reason") for run in found]))


async def _own(tx: Tx, schedule_id: int, me: Principal) -> Schedule:
    """A schedule the caller may change, locked. Raises `NotFound`."""
    schedule = _there(await schedules.lock(tx, parameters.storable(schedule_id, "schedule")))
    if me.role is not Role.ADMIN and schedule.owner_id != me.user_id:
        raise NotFound("You have no such schedule; only its owner and admins can do this.")
    return schedule


def _there(schedule: Schedule | None) -> Schedule:
    if schedule is None:
        raise NotFound("There is no such schedule.")
    return schedule


def _item(schedule: Schedule) -> ScheduleItem:
    owner, zone = schedule.owner, ZoneInfo(schedule.time_zone)
    shown = {name: getattr(schedule, name) for name in ScheduleItem.__struct_fields__ if hasattr(schedule, name)}
    shown["audience"] = EVERYONE if schedule.audience is None else schedule.audience
    shown["owner"] = None if owner is None else Sender(owner.user_id, owner.display_name or owner.email)
    next_runs = cron.upcoming(schedule.cron, schedule.time_zone, after=schedule.now, count=NEXT_RUNS)
    shown["next_runs"] = [each.astimezone(zone) for each in next_runs] if schedule.enabled else []
    return ScheduleItem(**shown)
