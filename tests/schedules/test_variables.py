from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from belfry.errors import BadInput
from belfry.schedules import variables

DUE = datetime(2026, 11, 22, 7, tzinfo=ZoneInfo("Asia/Tokyo"))
KNOWN = variables.values(schedule="Nightly {count}", due_at=DUE, count=3)


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("No variables", "No variables"),
        ("{date}, {count}{count}", "2026-11-22, 33"),
        ("{schedule}", "Nightly {count}"),  # a value is not looked at again
        ("{{date}}", "{date}"),
        ("{{{date}}}", "{2026-11-22}"),
        ('{{"a": {count}}}', '{"a": 3}'),
    ],
)
def test_variables_are_filled_in_and_double_braces_mean_themselves(text: str, filled: str) -> None:
    assert variables.fill("title", text, KNOWN) == filled


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{day}", "has an unknown variable; known are {date} and {count} and {schedule}"),
        ("{}", "has an unknown variable; known are {date} and {count} and {schedule}"),
        ("{date.year}", "has an unknown variable; known are {date} and {count} and {schedule}"),
        ("{a{date}}", "write {{ for a brace that is no variable"),
        ("50 % }", "write }} for a brace that is no variable"),
    ],
)
def test_what_is_no_variable_is_refused_by_the_name_of_the_field(text: str, said: str) -> None:
    with pytest.raises(BadInput) as refused:
        variables.fill("content", text, KNOWN)

    assert [(error.field, error.message) for error in refused.value.errors] == [("content", said)]
