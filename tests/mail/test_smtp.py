"""Each fault of a relay leads to one decision, and never to a connection that is out of step."""

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from belfry.mail.breaker import Breaker
from belfry.mail.errors import (
    LeaseLost,
    MailDelayed,
    MailRefused,
    MailUncertain,
    NoSuchMailbox,
    RelayUnavailable,
    Spared,
)
from belfry.mail.relay import Relay, Tls
from belfry.mail.smtp import Mailer
from tests.smtp_sink import Fault, Sink, smtp_sink


def mailer_for(relay: Sink | str | Relay, *, seconds: float = 5.0) -> Mailer:
    if isinstance(relay, Sink):
        relay = relay.url
    breaker = Breaker(first_pause=0.01, longest_pause=0.02)
    return Mailer(
        relay if isinstance(relay, Relay) else Relay.parse(relay),
        sender="Belfry <belfry@example.org>",
        seconds=seconds,
        breaker=breaker,
    )


@pytest.fixture(params=[(), ("PIPELINING",)], ids=["one command at a time", "in groups"])
async def sink(request: pytest.FixtureRequest) -> AsyncIterator[Sink]:
    async with smtp_sink(extensions=("8BITMIME", *request.param)) as sink:
        yield sink


@pytest.fixture
async def mailer(sink: Sink) -> AsyncIterator[Mailer]:
    mailer = mailer_for(sink)
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


async def test_connections_are_used_again(sink: Sink) -> None:
    mailer = mailer_for(sink)

    for tens in range(4):
        await asyncio.gather(*(send(mailer, f"user{tens}{n}@example.com") for n in range(10)))
    await mailer.close()

    assert len(sink.mails) == 40
    assert sink.connections == 10
    assert {mail.recipient for mail in sink.mails} == {
        f"user{tens}{n}@example.com" for tens in range(4) for n in range(10)
    }


@pytest.mark.parametrize("answer", ["550 5.1.1 no such user", "553 5.1.1", "550-5.1.1 no\r\n550 5.1.1 such user"])
async def test_a_mailbox_that_does_not_exist_is_told_from_other_refusals(
    mailer: Mailer, sink: Sink, answer: str
) -> None:
    sink.once("RCPT", answer)

    with pytest.raises(NoSuchMailbox) as refused:
        await send(mailer, "ada@example.com")

    assert refused.value.address == "ada@example.com"


@pytest.mark.parametrize("place", ["RCPT", "DATA", "DOT"])
@pytest.mark.parametrize(
    ("answer", "error"),
    [("450 4.2.1 busy", MailDelayed), ("421 4.3.2 closing", MailDelayed), ("550 5.7.1 not welcome", MailRefused)],
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
    assert sink.connections == (2 if answer.startswith("421") else 1)


@pytest.mark.parametrize(
    ("place", "error"),
    [("RCPT", MailDelayed), ("DATA", MailDelayed), ("DOT", MailUncertain)],
)
@pytest.mark.parametrize("fault", [Fault.DROP, Fault.HANG])
async def test_only_after_the_final_dot_is_a_lost_reply_ambiguous(
    sink: Sink, place: str, error: type[Exception], fault: Fault
) -> None:
    mailer = mailer_for(sink, seconds=0.3)
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
    assert type(first.value) is RelayUnavailable
    assert type(second.value) is Spared

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

    sink.hang_up()
    while any(dialog.is_open for dialog, _ in mailer._idle):  # noqa: ASYNC110  # until we have heard of it
        await asyncio.sleep(0)
    await send(mailer, "ida@example.com")
    assert [mail.recipient for mail in sink.mails] == [f"{name}@example.com" for name in ("ada", "bob", "eve", "ida")]


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


async def test_a_reply_that_came_while_we_were_stopped_counts() -> None:
    """What a machine that slept finds when it wakes: the reply, and a deadline long past."""
    loop = asyncio.get_running_loop()

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection, connection.makefile("rb") as lines:
            connection.sendall(b"220 sink\r\n")
            for line in lines:
                if line == b".\r\n":
                    loop.call_soon_threadsafe(time.sleep, 0.4)
                    time.sleep(0.1)
                    connection.sendall(b"250 taken\r\n")
                    return
                if not line.startswith((b"Subject", b"\r", b".")):
                    connection.sendall(b"354 go on\r\n" if line == b"DATA\r\n" else b"250 ok\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = loop.run_in_executor(None, serve, listener)
        mailer = mailer_for(f"smtp://127.0.0.1:{listener.getsockname()[1]}", seconds=0.3)
        assert await send(mailer) == "250 taken"
        await serving


async def test_a_server_that_waits_for_content_nobody_is_to_get_is_told_that_there_is_none() -> None:
    async with smtp_sink(extensions=("PIPELINING",)) as sink:
        mailer = mailer_for(sink)
        sink.once("RCPT", "550 5.1.1 no such user")
        sink.once("DATA", "354 go on")

        with pytest.raises(MailRefused, match="550"):
            await send(mailer)
        await send(mailer, "bob@example.com")
        await mailer.close()

    assert [mail.recipient for mail in sink.mails] == ["bob@example.com"]
    assert sink.connections == 1


async def test_a_server_that_takes_groups_gets_the_whole_envelope_at_once() -> None:
    got: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for reply in (b"220 sink", b"250-sink\r\n250 PIPELINING", b"250 ok\r\n250 ok\r\n354 go on", b"250 taken"):
            writer.write(reply + b"\r\n")
            got.append(await reader.read(10_000))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    mailer = mailer_for(f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    await send(mailer)
    await mailer.close()
    server.close()

    assert got[1] == b"MAIL FROM:<belfry@example.org>\r\nRCPT TO:<ada@example.com>\r\nDATA\r\n"
    assert got[2:] == [b"Subject: hello\r\n\r\n..a line with a dot\r\n.\r\n", b"QUIT\r\n"]


async def test_nothing_is_said_in_plain_text_where_tls_is_required(sink: Sink) -> None:
    mailer = mailer_for(Relay(host="127.0.0.1", port=sink.port, tls=Tls.STARTTLS, username="ada", password="secret"))

    with pytest.raises(RelayUnavailable, match="STARTTLS"):
        await send(mailer)

    assert [command.split(" ")[0] for command in sink.commands] == ["EHLO"]


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


@pytest.mark.parametrize(
    "address", ["ada@example.com\r\nDATA", "ada@example.com> SIZE=1", "<>", "ada lovelace@x.org", "ada@x\uff1e SIZE=1"]
)
async def test_an_address_cannot_smuggle_a_command(mailer: Mailer, sink: Sink, address: str) -> None:
    with pytest.raises(MailRefused):
        await send(mailer, address)

    assert not [command for command in sink.commands if command.startswith(("RCPT", "DATA"))]


@pytest.mark.parametrize("address", ["ada@x\uff1e", "ada@\u00a8", "ada@x\ufe0fy\uff1cz"])
async def test_what_normalising_a_domain_makes_of_it_is_no_command_either(address: str) -> None:
    async with smtp_sink(extensions=("SMTPUTF8", "8BITMIME")) as sink:
        mailer = mailer_for(sink)
        await send(mailer, address)
        await mailer.close()

        assert [command for command in sink.commands if command.startswith("RCPT")] == [f"RCPT TO:<{address}>"]


async def test_an_address_outside_ascii_needs_a_relay_that_takes_it(mailer: Mailer) -> None:
    with pytest.raises(MailRefused, match="SMTPUTF8"):
        await send(mailer, "ådå@example.com")

    async with smtp_sink(extensions=("SMTPUTF8", "8BITMIME")) as modern:
        able = mailer_for(modern)
        await send(able, "ådå@bücher.example")
        await able.close()
        assert [mail.recipient for mail in modern.mails] == ["ådå@xn--bcher-kva.example"]
        assert modern.mails[0].sender == "MAIL FROM:<belfry@example.org> SMTPUTF8 BODY=8BITMIME"
