"""Which passwords may be chosen."""

import pytest

from belfry.accounts.choosing import LIST, check_choice
from belfry.accounts.passwords import LONGEST, SHORTEST
from belfry.errors import BadInput

ADA = "ada.lovelace@analytical.example"


@pytest.mark.parametrize(
    "password",
    [
        "iloveyou",
        "ILoveYou",
        "1qaz2wsx",
        ADA,
        ADA.upper(),
        "lovelace",
        "Lovelace1815",
        "analytical.example",
        "lovelacelovelace",
        "belfry2026",
        "BelfryBelfry!",
    ],
)
def test_what_is_guessed_first_is_refused(password: str) -> None:
    with pytest.raises(BadInput) as refused:
        check_choice("new", password, ADA)

    assert [error.field for error in refused.value.errors] == ["new"]
    assert password not in str(refused.value)


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple",
        "aaaabbbb",
        "        ",
        "belfry tower bat",
        "lovelace-note-G",
        "\u4e00\u4e8c\u4e09\u56db\u4e94\u516d\u4e03\u516b",
        "p" * LONGEST,
    ],
)
def test_anything_else_is_taken_without_rules_of_composition(password: str) -> None:
    check_choice("new", password, ADA)


def test_the_list_holds_only_what_could_be_chosen_and_enough_of_it() -> None:
    lines = LIST.read_text(encoding="utf-8").splitlines()

    assert len(lines) == len(set(lines)) >= 3_000  # ASVS 5.0, 6.2.4
    assert all(len(line) >= SHORTEST and line == line.casefold() for line in lines)
