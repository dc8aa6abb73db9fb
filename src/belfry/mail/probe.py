"""Trying the mail settings step by step, as somebody would by hand."""

import asyncio
import socket
import ssl
from collections.abc import AsyncGenerator
from contextlib import suppress
from email.utils import parseaddr

import msgspec
from aiosmtplib import SMTP, SMTPException, SMTPResponseException

from belfry.mail.addresses import ascii_domain
from belfry.mail.relay import Relay, Tls

__all__ = ["Step", "probe"]


class Step(msgspec.Struct, frozen=True):
    """One step and what came of it, in the server's words where it said any. The one that failed is the last."""

    name: str
    ok: bool
    said: str


class Probe:
    """Each method is a step: it returns what was said, or raises why it failed."""

    def __init__(self, relay: Relay, *, sender: str, recipient: str, message: bytes) -> None:
        self._relay = relay
        self._sender = parseaddr(sender)[1]
        self._recipient = ascii_domain(recipient)
        self._message = message
        self._smtputf8 = not self._recipient.isascii()
        self._context = None if relay.tls is Tls.NONE else ssl.create_default_context()
        self._client: SMTP = relay.client(self._context)
        self._addresses: list[tuple[socket.AddressFamily, tuple[str, int]]] = []
        self._socket: socket.socket | None = None

    async def resolve(self) -> str:
        found = await asyncio.get_running_loop().getaddrinfo(
            self._relay.host, self._relay.port, type=socket.SOCK_STREAM
        )
        self._addresses = [(family, (str(where[0]), int(where[1]))) for family, _, _, _, where in found]
        return f"{self._relay.host} is {', '.join(dict.fromkeys(where[0] for _, where in self._addresses))}"

    async def connect(self) -> str:
        """To the first address that answers; the error is the last one's."""
        error: OSError = ConnectionError("it has no address")
        for family, where in self._addresses:
            sock = socket.socket(family)
            sock.setblocking(False)
            try:
                await asyncio.get_running_loop().sock_connect(sock, where)
            except OSError as failed:
                sock.close()
                error = failed
            except BaseException:
                sock.close()
                raise
            else:
                self._socket = sock
                return f"{where[0]} port {where[1]}"
        raise error

    async def greeting(self) -> str:
        sock, self._socket = self._socket, None
        answer = await self._client.connect(sock=sock, port=None, start_tls=False, username=None, password=None)
        greeted = f"{answer.code} {answer.message}"
        hello = await self._client.ehlo()
        return f"{greeted}; {hello.code} to EHLO" + (f", {self._cipher()}" if self._relay.tls is Tls.ALWAYS else "")

    async def starttls(self) -> str:
        if self._relay.tls is not Tls.STARTTLS:
            return "not asked for: " + (
                "TLS from the start" if self._relay.tls is Tls.ALWAYS else "the settings allow plain text"
            )
        await self._client.starttls()
        await self._client.ehlo()
        return f"{self._cipher()}, and the certificate is good for {self._relay.host}"

    async def login(self) -> str:
        if self._relay.username is None:
            return "not asked for: the settings name no user"
        answer = await self._client.login(self._relay.username, self._relay.password or "")
        return f"{answer.code} {answer.message}"

    async def mail(self) -> str:
        if self._smtputf8 and not self._client.supports_extension("smtputf8"):
            raise SMTPException("the recipient's address is not ASCII, and the server does not offer SMTPUTF8")
        options = ["SMTPUTF8", "BODY=8BITMIME"] if self._smtputf8 else []
        answer = await self._client.mail(self._sender, options=options, encoding="utf-8")
        return f"{answer.code} {answer.message}"

    async def rcpt(self) -> str:
        answer = await self._client.rcpt(self._recipient, encoding="utf-8")
        return f"{answer.code} {answer.message}"

    async def data(self) -> str:
        answer = await self._client.data(self._message)
        return f"{answer.code} {answer.message}"

    async def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        with suppress(SMTPException, OSError, TimeoutError):
            async with asyncio.timeout(1):
                await self._client.quit()
        self._client.close()

    def _cipher(self) -> str:
        version = self._client.get_transport_info("cipher")
        return f"encrypted with {version[1]}" if version else "not encrypted"


async def probe(
    relay: Relay, *, sender: str, recipient: str, message: bytes, seconds: float
) -> AsyncGenerator[Step, None]:
    """Send one mail, telling each step when it is done; `seconds` is the time one may take. Ends after a failure."""
    trying = Probe(relay, sender=sender, recipient=recipient, message=message)
    steps = {
        "resolve": trying.resolve,
        "connect": trying.connect,
        "greeting": trying.greeting,
        "STARTTLS": trying.starttls,
        "login": trying.login,
        "MAIL": trying.mail,
        "RCPT": trying.rcpt,
        "DATA": trying.data,
    }
    try:
        for name, step in steps.items():
            try:
                async with asyncio.timeout(seconds):
                    said = await step()
            except TimeoutError:
                yield Step(name, False, f"no answer within {seconds:g} s")
                return
            except SMTPResponseException as error:
                yield Step(name, False, f"{error.code} {error.message}")
                return
            except (SMTPException, OSError, ValueError) as error:
                yield Step(name, False, str(error) or type(error).__name__)
                return
            yield Step(name, True, said)
    finally:
        await trying.close()
