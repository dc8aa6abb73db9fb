"""When a schedule is due: cron expressions as Debian's cron reads them, on the clock of a named time zone."""

from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from belfry.errors import BadInput, FieldError
from belfry.intake import fields

__all__ = ["MOST_MISSED", "check", "missed", "upcoming"]

NAMED = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
FIELDS = 5  # the library would take a sixth, for seconds
MOST_MISSED = 100
# How far back missed times are looked for: the nearest of these that holds more than enough, so that a schedule for
# each minute does not cost a walk through all minutes of a long outage.
HORIZONS = (timedelta(days=1), timedelta(days=60), timedelta(days=3_650))


def check(cron: str, time_zone: str, *, now: datetime) -> None:
    """Raises `BadInput` for an expression or a zone that is none, and for an expression that never comes."""
    fields.known_time_zone("time_zone", time_zone)
    try:
        if not upcoming(cron, time_zone, after=now, count=1):
            raise BadInput(FieldError("cron", "no day of the next 50 years is like this"))
    except CronSimError as error:
        raise BadInput(FieldError("cron", _meaning(error))) from None


def upcoming(cron: str, time_zone: str, *, after: datetime, count: int) -> list[datetime]:
    """The next `count` times after a moment, in the zone; fewer if there are no more within 50 years."""
    return list(islice(_times(cron, time_zone, after), count))


def missed(cron: str, time_zone: str, *, after: datetime, until: datetime) -> list[datetime]:
    """The times after one moment and up to another, oldest first; of many only the last `MOST_MISSED` + 1."""
    for start in [*(until - horizon for horizon in HORIZONS if until - horizon > after), after]:
        found: deque[datetime] = deque(maxlen=MOST_MISSED + 1)
        for time in _times(cron, time_zone, start):
            if time.astimezone(UTC) > until:
                break
            found.append(time)
        if len(found) > MOST_MISSED:
            break
    return list(found)


def _times(cron: str, time_zone: str, after: datetime) -> Iterator[datetime]:
    expression = NAMED.get(cron.strip().lower(), cron)
    if len(expression.split()) != FIELDS:
        raise CronSimError("Wrong number of fields")
    for time in CronSim(expression, after.astimezone(ZoneInfo(time_zone))):
        # In the hour that a clock repeats, the library goes back to the hour's first pass.
        if time.astimezone(UTC) > after:
            yield time


def _meaning(error: CronSimError) -> str:
    names = ", ".join(NAMED)
    expected = f"expected five fields (minute, hour, day of month, month, day of week) or one of {names}"
    what = str(error)
    return f"the {what.removeprefix('Bad ')} is not possible" if what.startswith("Bad ") else expected
