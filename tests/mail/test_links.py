import pytest

from belfry.mail.unsubscribe import UnsubscribeLinks
from db.models import Scope

PUBLIC_URL = "https://belfry.example.org"
LINKS = UnsubscribeLinks("0123456789abcdef0123456789abcdef", public_url=PUBLIC_URL)


def test_a_link_names_a_user_and_a_scope() -> None:
    for scope in Scope:
        url = LINKS.url(9, scope)
        assert url.startswith(f"{PUBLIC_URL}/unsubscribe/")
        assert LINKS.read(url.rpartition("/")[2]) == (9, scope)


@pytest.mark.parametrize(
    "token",
    [
        "", ".", "9.broadcasts", "9.broadcasts.", "9.all.x", "1.broadcasts.{mac}", "9.all.{mac}", "9.broadcasts.{mac}A",
        "9.broadcasts.{mac}\n", " 9.broadcasts.{mac}", "é", "9.broadcasts.é", "\udc80.broadcasts.\udc80", "x" * 10_000,
    ],
)  # fmt: skip
def test_a_link_that_was_changed_is_not_ours(token: str) -> None:
    mac = LINKS.url(9, Scope.BROADCASTS).rpartition(".")[2]

    assert LINKS.read(token.replace("{mac}", mac)) is None
    assert (
        UnsubscribeLinks("another key of thirty-two bytes!", public_url=PUBLIC_URL).read(f"9.broadcasts.{mac}") is None
    )
