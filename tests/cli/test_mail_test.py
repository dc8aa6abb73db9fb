"""`belfry mail-test`: where sending fails, and in whose words."""

import ssl
from pathlib import Path

import pytest

from belfry.settings import Settings
from tests.processes import belfry_command
from tests.smtp_sink import Fault, Sink, smtp_sink

STEPS = ["resolve", "connect", "greeting", "STARTTLS", "login", "MAIL", "RCPT", "DATA"]


async def tried(
    settings: Settings, url: str, to: str = "ada@example.com", **env: str
) -> tuple[int, dict[str, list[str]]]:
    """The exit code, and for each step whether it went well and what was said."""
    env = {"BELFRY_SMTP_URL": url, "BELFRY_MAIL_FROM": "Belfry <belfry@example.org>", "BELFRY_SEND_SECONDS": "2"} | env
    code, output, errors = await belfry_command(settings, "mail-test", to, **env)
    assert errors == ""
    steps = {}
    for line in output.splitlines():
        result, name, said = line.split(maxsplit=2)
        steps[name] = [result, said]
    return code, steps


async def test_settings_that_work_send_a_mail(settings: Settings) -> None:
    async with smtp_sink(extensions=("AUTH PLAIN",)) as sink:
        code, steps = await tried(settings, f"smtp://ada:secret@127.0.0.1:{sink.port}")
        [mail] = sink.mails

    assert code == 0
    assert list(steps) == STEPS
    assert {result for result, _ in steps.values()} == {"ok"}
    assert steps["greeting"][1].startswith("220 sink")
    assert steps["login"][1] == "235 welcome"
    assert steps["DATA"][1] == "250 taken"
    assert mail.recipient == "ada@example.com"
    assert mail.message["Subject"] == "Mail from Belfry works"
    assert mail.message["From"] == "Belfry <belfry@example.org>"


@pytest.mark.parametrize(
    ("place", "answer", "step", "said"),
    [
        ("CONNECT", "554 5.3.2 go away", "greeting", "554 5.3.2 go away"),
        ("CONNECT", Fault.DROP, "greeting", "Error connecting"),
        ("CONNECT", Fault.HANG, "greeting", "no answer within 2 s"),
        ("EHLO", "550 not you", "greeting", "550 not you"),
        ("AUTH", "535 5.7.8 wrong password", "login", "535 5.7.8 wrong password"),
        ("MAIL", "550 5.7.1 not your address", "MAIL", "550 5.7.1 not your address"),
        ("RCPT", "550 5.1.1 no such user", "RCPT", "550 5.1.1 no such user"),
        ("DATA", "451 4.3.0 later", "DATA", "451 4.3.0 later"),
        ("DOT", "554 5.6.0 spam\x1b[2J", "DATA", "554 5.6.0 spam [2J"),
        ("DOT", Fault.DROP, "DATA", ""),
    ],
)
async def test_the_step_that_failed_is_the_last_and_says_why(
    settings: Settings, place: str, answer: str | Fault, step: str, said: str
) -> None:
    async with smtp_sink(extensions=("AUTH PLAIN",)) as sink:
        sink.always(place, answer)
        code, steps = await tried(settings, f"smtp://ada:secret@127.0.0.1:{sink.port}")

    assert code == 1
    assert list(steps) == STEPS[: STEPS.index(step) + 1]
    assert steps[step][0] == "failed"
    assert steps[step][1].startswith(said)
    assert {result for name, (result, _) in steps.items() if name != step} == {"ok"}
    assert "secret" not in str(steps)


async def test_nobody_there_and_no_such_name(settings: Settings) -> None:
    async with smtp_sink() as gone:
        url = gone.url
    code, steps = await tried(settings, url)
    assert (code, list(steps), steps["connect"][0]) == (1, ["resolve", "connect"], "failed")

    code, steps = await tried(settings, "smtp://no-such-host.invalid")
    assert (code, list(steps), steps["resolve"][0]) == (1, ["resolve"], "failed")


@pytest.mark.parametrize(("scheme", "step"), [("smtp", "STARTTLS"), ("smtps", "greeting")])
async def test_the_certificate_is_looked_at(settings: Settings, certificate: Path, scheme: str, step: str) -> None:
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(certificate)
    async with smtp_sink(tls=server, implicit_tls=scheme == "smtps") as sink:
        code, steps = await tried(settings, f"{scheme}://127.1:{sink.port}")  # written so, it is not taken for loopback
        assert (code, list(steps)[-1], steps[step][0]) == (1, step, "failed")
        assert "certificate" in steps[step][1]
        assert sink.mails == []

        if scheme == "smtps":
            trusted = str(certificate.with_suffix(".crt"))
            code, steps = await tried(settings, f"smtps://127.0.0.1:{sink.port}", SSL_CERT_FILE=trusted)
            assert code == 0
            assert "TLSv1" in steps["greeting"][1]
            assert len(sink.mails) == 1


async def test_a_server_without_starttls_is_not_trusted_with_a_password(settings: Settings, sink: Sink) -> None:
    code, steps = await tried(settings, f"smtp://ada:secret@127.1:{sink.port}")

    assert (code, list(steps)[-1]) == (1, "STARTTLS")
    assert "not supported" in steps["STARTTLS"][1]
    assert [command.split()[0] for command in sink.commands] == ["EHLO", "QUIT"]


async def test_what_is_no_address_is_not_tried(settings: Settings, sink: Sink) -> None:
    for address in ("ada", "ada@example.com> SIZE=1", ""):
        code, output, errors = await belfry_command(settings, "mail-test", address, BELFRY_SMTP_URL=sink.url)
        assert (code, output) == (1, "")
        assert errors.startswith(f"{address} is not an e-mail address.")

    assert sink.connections == 0
