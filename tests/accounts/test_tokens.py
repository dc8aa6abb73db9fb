"""Tokens: which are ours, and for how long."""

import time
from datetime import timedelta
from typing import Any

import jwt
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


def forged(*, key: str = KEY, algorithm: str = "HS256", header: dict[str, Any] | None = None, **claims: Any) -> str:
    """One of ours, but for what is given; None takes a claim away."""
    now = int(time.time())
    ours = {"iss": "belfry", "aud": "belfry", "sub": "1", "sid": 2, "iat": now, "exp": now + 60} | claims
    kid = jwt.get_unverified_header(Tokens(KEY, seconds=10).issue(user_id=1, session_id=2))["kid"]
    said = {name: value for name, value in ours.items() if value is not None}
    return jwt.encode(said, key, algorithm, headers={"kid": kid} | (header or {}))


def test_one_that_says_what_ours_do_is_believed() -> None:
    assert Tokens(KEY, seconds=10).read(forged())[0] == 2


@pytest.mark.parametrize(
    "token",
    [
        forged(key=KEY[::-1]),
        forged(algorithm="none", key=""),
        forged(algorithm="HS512", key=KEY * 2),
        forged(header={"kid": "another"}),
        forged(header={"crit": ["b64"], "b64": False}),
        forged(header={"crit": ["unheard-of"]}),
        forged(iss="somebody"),
        forged(iss=None),
        forged(aud="somebody"),
        forged(aud=["belfry"]),
        forged(sub=None),
        forged(sid=None),
        forged(sid="2"),
        forged(sid=True),
        forged(iat=None),
        forged(iat=int(time.time()) + 600),
        forged(exp=None),
        forged(exp=int(time.time()) - 60),
        forged(exp=10**30),
        forged().rpartition(".")[0],
        forged().rpartition(".")[0] + ".",
        forged() + ".x",
        "",
        "a.b.c",
        "é.é.é",
        "e30.e30.e30",
    ],
)
def test_what_says_anything_else_is_refused(token: str) -> None:
    ours = Tokens(KEY, seconds=10)
    ours.read(forged())
    for _ in range(2):
        with pytest.raises(TokenRefused):
            ours.read(token)


def test_a_key_that_is_one_for_something_else_is_refused() -> None:
    pem = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----\n"
    with pytest.raises(jwt.InvalidKeyError):
        Tokens(pem, seconds=10).issue(user_id=1, session_id=2)
