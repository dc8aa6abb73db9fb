"""Tokens that were verified before."""

from datetime import timedelta

import pytest

from belfry.accounts import tokens
from belfry.accounts.tokens import TokenRefused, Tokens

KEY = "0123456789abcdef0123456789abcdef"


def test_a_token_that_was_good_is_refused_after_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = Tokens(KEY, seconds=10)
    token = ours.issue(user_id=1, session_id=2)
    assert ours.read(token)[0] == 2

    monkeypatch.setattr(tokens, "LEEWAY", timedelta(seconds=-11))

    with pytest.raises(TokenRefused):
        ours.read(token)


def test_clocks_may_differ_by_half_a_minute() -> None:
    for seconds_ago in (10, 20):
        assert Tokens(KEY, seconds=3_600).read(Tokens(KEY, seconds=-seconds_ago).issue(user_id=1, session_id=2))[0] == 2
    with pytest.raises(TokenRefused):
        Tokens(KEY, seconds=3_600).read(Tokens(KEY, seconds=-60).issue(user_id=1, session_id=2))


def test_a_token_with_another_signature_is_refused_after_the_good_one() -> None:
    ours = Tokens(KEY, seconds=10)
    token = ours.issue(user_id=1, session_id=2)
    ours.read(token)
    foreign = Tokens(KEY[::-1], seconds=10).issue(user_id=1, session_id=2)

    for _ in range(2):
        with pytest.raises(TokenRefused):
            ours.read(token.rpartition(".")[0] + "." + foreign.rpartition(".")[2])
