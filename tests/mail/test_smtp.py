"""Each fault of a relay leads to one decision, and never to a connection that is out of step."""

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from belfry.mail.breaker import Breaker
from belfry.mail.relay import Relay, Tls
from belfry.mail.smtp import LeaseLost, MailDelayed, Mailer, MailRefused, MailUncertain, RelayUnavailable
from tests.smtp_sink import Fault, Sink, smtp_sink


def mailer_for(relay: Sink | str | Relay, *, connections: int = 4, seconds: float = 5.0) -> Mailer:
    if isinstance(relay, Sink):
        relay = relay.url
    breaker = Breaker(first_pause=0.01, longest_pause=0.02)
    return Mailer(
        relay if isinstance(relay, Relay) else Relay.parse(relay),
        sender="Belfry <belfry@example.org>",
        connections=connections,
        seconds=seconds,
        breaker=breaker,
    )


@pytest.fixture
async def mailer(sink: Sink) -> AsyncIterator[Mailer]:
    mailer = mailer_for(sink, connections=1)
    yield mailer
    await mailer.close()


async def send(mailer: Mailer, recipient: str = "ada@example.com", *, ours: bool = True) -> str:
    async def hand_over() -> bool:
        return ours

    return await mailer.send(recipient, lambda: b"Subject: hello\r\n\r\n.a line with a dot\r\n", hand_over)


async def test_a_mail_is_taken(mailer: Mailer, sink: Sink) -> None:
    assert await send(mailer) == "250 taken"

    [mail] = sink.mails
    assert mail.sender == "MAIL FROM:<belfry@example.org>"
    assert mail.raw == b"Subject: hello\r\n\r\n.a line with a dot\r\n"


async def test_connections_are_few_and_used_again(sink: Sink) -> None:
    mailer = mailer_for(sink, connections=4)

    await asyncio.gather(*(send(mailer, f"user{n}@example.com") for n in range(40)))
    await mailer.close()

    assert len(sink.mails) == 40
    assert sink.connections <= 4
    assert {mail.recipient for mail in sink.mails} == {f"user{n}@example.com" for n in range(40)}


@pytest.mark.parametrize("place", ["RCPT", "DATA", "DOT"])
@pytest.mark.parametrize(
    ("answer", "error"),
    [("450 4.2.1 busy", MailDelayed), ("421 4.3.2 closing", MailDelayed), ("550 5.1.1 no such user", MailRefused)],
)
async def test_a_refusal_is_about_this_mail_only(
    mailer: Mailer, sink: Sink, place: str, answer: str, error: type[Exception]
) -> None:
    sink.once(place, answer)

    with pytest.raises(error) as refused:
        await send(mailer)
    await send(mailer, "bob@example.com")

    assert type(refused.value) is error
    assert str(refused.value) == answer
    assert [mail.recipient for mail in sink.mails] == ["bob@example.com"]


@pytest.mark.parametrize(
    ("place", "error"),
    [("RCPT", MailDelayed), ("DATA", MailDelayed), ("DOT", MailUncertain)],
)
@pytest.mark.parametrize("fault", [Fault.DROP, Fault.HANG])
async def test_only_after_the_final_dot_is_a_lost_reply_ambiguous(
    sink: Sink, place: str, error: type[Exception], fault: Fault
) -> None:
    mailer = mailer_for(sink, connections=1, seconds=0.3)
    sink.once(place, fault)

    with pytest.raises(MailDelayed) as lost:
        await send(mailer)
    assert type(lost.value) is error

    taken = await send(mailer, "bob@example.com")
    await mailer.close()
    assert taken == "250 taken"
    assert sink.connections == 2


@pytest.mark.parametrize(
    ("place", "answer"),
    [
        ("CONNECT", "554 go away"),
        ("CONNECT", "421 too many connections"),
        ("CONNECT", Fault.DROP),
        ("EHLO", "500 no"),
        ("MAIL", "550 your sender is not welcome"),
        ("MAIL", "530 authentication required"),
        ("RCPT", "530 authentication required"),
    ],
)
async def test_what_hits_everybody_is_the_relay(mailer: Mailer, sink: Sink, place: str, answer: str | Fault) -> None:
    sink.once(place, answer)

    with pytest.raises(RelayUnavailable):
        await send(mailer)

    assert not mailer.breaker.closed
    assert sink.mails == []


async def test_a_wrong_password_is_the_relays_fault() -> None:
    async with smtp_sink(extensions=("AUTH PLAIN",)) as sink:
        sink.always("AUTH", "535 5.7.8 no")
        mailer = mailer_for(f"smtp://ada:wrong@127.0.0.1:{sink.port}")

        with pytest.raises(RelayUnavailable, match="535"):
            await send(mailer)


async def test_a_relay_that_is_not_there_opens_the_breaker_and_a_mail_that_goes_through_closes_it() -> None:
    async with smtp_sink() as gone:
        port = gone.port
    mailer = mailer_for(f"smtp://127.0.0.1:{port}")
    mailer.breaker = Breaker(first_pause=60, longest_pause=60)

    with pytest.raises(RelayUnavailable) as first:
        await send(mailer)
    with pytest.raises(RelayUnavailable) as second:
        await send(mailer)
    assert first.value.tried
    assert not second.value.tried

    mailer.breaker = Breaker(first_pause=0, longest_pause=0)
    mailer.breaker.failed("before")
    async with smtp_sink(port=port):
        await send(mailer)
        assert mailer.breaker.closed
        await mailer.close()


async def test_a_pooled_connection_the_server_closed_costs_no_try(mailer: Mailer, sink: Sink) -> None:
    await send(mailer)
    sink.once("MAIL", "421 4.4.2 idle for too long")

    await send(mailer, "bob@example.com")

    sink.hang_up()
    await send(mailer, "eve@example.com")
    assert [mail.recipient for mail in sink.mails] == ["ada@example.com", "bob@example.com", "eve@example.com"]


async def test_a_new_connection_that_closes_at_mail_is_a_delay(mailer: Mailer, sink: Sink) -> None:
    sink.once("MAIL", "421 4.3.2 closing")

    with pytest.raises(MailDelayed, match="421"):
        await send(mailer)


async def test_a_cancelled_mail_takes_its_connection_with_it(mailer: Mailer, sink: Sink) -> None:
    await send(mailer)
    sink.once("RCPT", Fault.WAIT)
    cancelled = asyncio.create_task(send(mailer, "bob@example.com"))
    await sink.reached("RCPT", 2)

    cancelled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    sink.release()

    assert await send(mailer, "eve@example.com") == "250 taken"
    assert [mail.recipient for mail in sink.mails] == ["ada@example.com", "eve@example.com"]
    assert sink.connections == 2


async def test_a_letter_that_is_no_longer_ours_is_not_sent(mailer: Mailer, sink: Sink) -> None:
    with pytest.raises(LeaseLost):
        await send(mailer, ours=False)
    await send(mailer, "bob@example.com")

    assert [mail.recipient for mail in sink.mails] == ["bob@example.com"]
    assert sink.connections == 1


async def test_nothing_is_said_in_plain_text_where_tls_is_required(sink: Sink) -> None:
    mailer = mailer_for(Relay(host="127.0.0.1", port=sink.port, tls=Tls.STARTTLS, username="ada", password="secret"))

    with pytest.raises(RelayUnavailable, match="STARTTLS"):
        await send(mailer)

    assert [command.split(" ")[0] for command in sink.commands] == ["EHLO"]


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that nobody trusts yet, with its key in the same file."""
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=sink", "-days", "1",  # noqa: S607
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", path, "-out", path.with_suffix(".crt")],
        check=True,
        capture_output=True,
    )  # fmt: skip
    path.write_text(path.read_text() + path.with_suffix(".crt").read_text())
    return path


@pytest.mark.parametrize("tls", [Tls.STARTTLS, Tls.ALWAYS])
async def test_a_certificate_is_checked(certificate: Path, tls: Tls, monkeypatch: pytest.MonkeyPatch) -> None:
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(certificate)
    async with smtp_sink(tls=server, implicit_tls=tls is Tls.ALWAYS) as sink:
        relay = Relay(host="127.0.0.1", port=sink.port, tls=tls)
        with pytest.raises(RelayUnavailable, match="certificate"):
            await send(mailer_for(relay))
        assert sink.mails == []

        monkeypatch.setenv("SSL_CERT_FILE", str(certificate.with_suffix(".crt")))
        trusting = mailer_for(relay)
        await send(trusting)
        await trusting.close()
        assert len(sink.mails) == 1


@pytest.mark.parametrize("address", ["ada@example.com\r\nDATA", "ada@example.com> SIZE=1", "<>", "ada lovelace@x.org"])
async def test_an_address_cannot_smuggle_a_command(mailer: Mailer, sink: Sink, address: str) -> None:
    with pytest.raises(MailRefused):
        await send(mailer, address)

    assert not [command for command in sink.commands if command.startswith(("RCPT", "DATA"))]


async def test_an_address_outside_ascii_needs_a_relay_that_takes_it(mailer: Mailer) -> None:
    with pytest.raises(MailRefused, match="SMTPUTF8"):
        await send(mailer, "ådå@example.com")

    async with smtp_sink(extensions=("SMTPUTF8", "8BITMIME")) as modern:
        able = mailer_for(modern)
        await send(able, "ådå@bücher.example")
        await able.close()
        assert [mail.recipient for mail in modern.mails] == ["ådå@xn--bcher-kva.example"]
        assert modern.mails[0].sender == "MAIL FROM:<belfry@example.org> SMTPUTF8 BODY=8BITMIME"
