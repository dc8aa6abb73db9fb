"""When schedules are due: a table of dates in named zones, by the clock on the wall there."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from belfry.errors import BadInput
from belfry.schedules import cron
from belfry.schedules.cron import MOST_MISSED

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


class Case(NamedTuple):
    """What comes after a moment in a zone; `+01:00` tells the two passes of a repeated hour apart."""

    why: str
    expression: str
    zone: str
    after: str
    due: list[str]


CASES = [
    Case(
        "a time that does not exist comes when the clock has jumped",
        "30 2 * * *",
        "Europe/Berlin",
        "2026-03-28T00:00",
        ["2026-03-28T02:30+01:00", "2026-03-29T03:00+02:00", "2026-03-30T02:30+02:00"],
    ),
    Case(
        "two times that do not exist come once",
        "0,30 2 * * *",
        "America/New_York",
        "2026-03-07T12:00",
        ["2026-03-08T03:00-04:00", "2026-03-09T02:00-04:00", "2026-03-09T02:30-04:00"],
    ),
    Case(
        "one that exists twice comes at the first",
        "30 2 * * *",
        "Europe/Berlin",
        "2026-10-24T12:00",
        ["2026-10-25T02:30+02:00", "2026-10-26T02:30+01:00"],
    ),
    Case(
        "nor does it come again between its two passes",
        "30 2 * * *",
        "Europe/Berlin",
        "2026-10-25T02:15+01:00",
        ["2026-10-26T02:30+01:00"],
    ),
    Case(
        "what comes each hour comes in both",
        "0 * * * *",
        "Europe/Berlin",
        "2026-10-25T01:30",
        ["2026-10-25T02:00+02:00", "2026-10-25T02:00+01:00", "2026-10-25T03:00+01:00"],
    ),
    Case(
        "and not in the hour that is left out",
        "0 * * * *",
        "Europe/Berlin",
        "2026-03-29T00:30",
        ["2026-03-29T01:00+01:00", "2026-03-29T03:00+02:00"],
    ),
    Case(
        "a clock that moves by half an hour",
        "15 2 * * *",
        "Australia/Lord_Howe",
        "2026-10-03T12:00",
        ["2026-10-04T02:30+11:00", "2026-10-05T02:15+11:00"],
    ),
    Case(
        "midnight that does not exist",
        "@daily",
        "Africa/Cairo",
        "2026-04-23T12:00",
        ["2026-04-24T01:00+03:00", "2026-04-25T00:00+03:00"],
    ),
    Case(
        "a zone without summer time",
        "30 2 * * *",
        "Asia/Kathmandu",
        "2026-03-28T12:00",
        ["2026-03-29T02:30+05:45", "2026-03-30T02:30+05:45"],
    ),
    Case("29 February", "0 7 29 2 *", "UTC", "2026-01-01T00:00", ["2028-02-29T07:00+00:00", "2032-02-29T07:00+00:00"]),
    Case(
        "the 31st, only in months that have it",
        "0 0 31 * *",
        "UTC",
        "2026-01-31T12:00",
        ["2026-03-31T00:00+00:00", "2026-05-31T00:00+00:00", "2026-07-31T00:00+00:00"],
    ),
    Case(
        "the last day of a month",
        "0 0 L * *",
        "UTC",
        "2028-02-01T00:00",
        ["2028-02-29T00:00+00:00", "2028-03-31T00:00+00:00", "2028-04-30T00:00+00:00"],
    ),
    Case(
        "day of month or day of week, where both are given",
        "0 9 13 * FRI",
        "Europe/London",
        "2026-02-01T00:00",
        ["2026-02-06T09:00+00:00", "2026-02-13T09:00+00:00", "2026-02-20T09:00+00:00"],
    ),
    Case(
        "and, where one begins with a star",
        "0 9 */2 * MON",
        "Europe/London",
        "2026-02-01T00:00",
        ["2026-02-09T09:00+00:00", "2026-02-23T09:00+00:00", "2026-03-09T09:00+00:00"],
    ),
    Case(
        "names, in any case, and ranges",
        "0 7 * jan-feb Mon-Wed",
        "UTC",
        "2026-02-24T12:00",
        ["2026-02-25T07:00+00:00", "2027-01-04T07:00+00:00"],
    ),
    Case("the first Monday", "0 7 * * MON#1", "UTC", "2026-02-03T00:00", ["2026-03-02T07:00+00:00"]),
    Case("Sunday is 0 and 7", "0 7 * * 7", "UTC", "2026-02-03T00:00", ["2026-02-08T07:00+00:00"]),
    Case("@yearly", "@yearly", "Asia/Tokyo", "2026-02-03T00:00", ["2027-01-01T00:00+09:00"]),
    Case("@monthly", "@monthly", "UTC", "2026-02-03T00:00", ["2026-03-01T00:00+00:00"]),
    Case("@weekly", "@weekly", "UTC", "2026-02-03T00:00", ["2026-02-08T00:00+00:00"]),
    Case("@hourly", "@Hourly", "UTC", "2026-02-03T00:30", ["2026-02-03T01:00+00:00"]),
]


@pytest.mark.parametrize("case", CASES, ids=[case.why for case in CASES])
def test_the_times_are_those_of_the_table(case: Case) -> None:
    after = datetime.fromisoformat(case.after)
    after = after if after.tzinfo else after.replace(tzinfo=ZoneInfo(case.zone))

    due = cron.upcoming(case.expression, case.zone, after=after.astimezone(UTC), count=len(case.due))

    assert [time.isoformat(timespec="minutes") for time in due] == case.due


def test_what_was_missed_is_found_up_to_now() -> None:
    after, until = NEW_YEAR + timedelta(hours=7), NEW_YEAR + timedelta(days=3, hours=7)

    due = cron.missed("0 7 * * *", "UTC", after=after, until=until)

    assert due == [NEW_YEAR + timedelta(days=day, hours=7) for day in (1, 2, 3)]
    assert cron.missed("0 7 * * *", "UTC", after=until, until=until + timedelta(hours=23)) == []


@pytest.mark.parametrize("days", [1, 30, 400, 8_000])
def test_of_a_long_outage_only_the_last_are_looked_at(days: int) -> None:
    until = NEW_YEAR + timedelta(days=days, seconds=30)

    due = cron.missed("* * * * *", "Europe/Berlin", after=NEW_YEAR, until=until)

    assert len(due) == MOST_MISSED + 1
    assert due[-1] == NEW_YEAR + timedelta(days=days)
    assert {later - earlier for earlier, later in pairwise(due)} == {timedelta(minutes=1)}


def test_after_years_what_is_rare_is_found() -> None:
    until = NEW_YEAR + timedelta(days=15 * 366)

    due = cron.missed("0 0 29 2 *", "UTC", after=NEW_YEAR, until=until)

    assert [time.year for time in due] == [2028, 2032, 2036, 2040]


ITEM = st.sampled_from(
    ["*", "*/5", "0", "7", "1-5", "1,2", "L", "LW", "MON", "5L", "1#2", "JAN", "31", "99", "-", "/", "²"]
)


@given(st.lists(ITEM, min_size=5, max_size=5).map(" ".join) | st.text(max_size=20))
def test_an_expression_has_a_next_time_or_is_refused(expression: str) -> None:
    try:
        cron.check(expression, "Europe/Berlin", now=NEW_YEAR)
    except BadInput:
        return
    [due] = cron.upcoming(expression, "Europe/Berlin", after=NEW_YEAR, count=1)

    assert due > NEW_YEAR
