import pytest

from belfry.mail.relay import Relay, Tls
from belfry.settings import SettingsError


@pytest.mark.parametrize(
    ("url", "relay"),
    [
        ("smtp://mail.example.com", Relay(host="mail.example.com", port=587, tls=Tls.STARTTLS)),
        ("smtp://mail.example.com:25", Relay(host="mail.example.com", port=25, tls=Tls.STARTTLS)),
        ("smtp://mail.example.com?tls=none", Relay(host="mail.example.com", port=25, tls=Tls.NONE)),
        ("smtp://127.0.0.1:1025", Relay(host="127.0.0.1", port=1025, tls=Tls.NONE)),
        ("smtp://[::1]:1025", Relay(host="::1", port=1025, tls=Tls.NONE)),
        ("smtp://localhost", Relay(host="localhost", port=25, tls=Tls.NONE)),
        ("smtps://mail.example.com", Relay(host="mail.example.com", port=465, tls=Tls.ALWAYS)),
        (
            "smtp://ada%40example.com:p%3Ass@mail.example.com",
            Relay(host="mail.example.com", port=587, tls=Tls.STARTTLS, username="ada@example.com", password="p:ss"),
        ),
    ],
)
def test_the_url_says_how_to_reach_the_relay(url: str, relay: Relay) -> None:
    assert Relay.parse(url) == relay


@pytest.mark.parametrize(
    "url",
    [
        "mail.example.com",
        "http://mail.example.com",
        "smtp://",
        "smtp://mail.example.com:port",
        "smtp://ada:secret@mail.example.com/path",
        "smtp://ada:secret@mail.example.com?tls=maybe",
        "smtps://ada:secret@mail.example.com?tls=none",
    ],
)
def test_any_other_url_is_refused_without_showing_the_password(url: str) -> None:
    with pytest.raises(SettingsError, match="BELFRY_SMTP_URL") as refused:
        Relay.parse(url)

    assert "secret" not in str(refused.value)
