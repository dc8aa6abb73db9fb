"""Giving mail to the relay: a pool of connections, one recipient a transaction, and one deadline for the whole of it.

What went wrong is named after what to do about it:

    MailDelayed         try again later: 4xx, a timeout, a lost connection
        MailUncertain   the same, but the server may have taken it: its reply to the final dot was lost
    MailRefused         never try again: 5xx for this recipient or this content
    RelayUnavailable    nobody's mail can be sent: the relay is down or our configuration is wrong
    LeaseLost           the delivery is no longer ours; send nothing and record nothing
"""

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable
from email.utils import parseaddr

from aiosmtplib import (
    SMTP,
    SMTPException,
    SMTPRecipientRefused,
    SMTPResponseException,
    SMTPSenderRefused,
    SMTPServerDisconnected,
)
from aiosmtplib.response import SMTPResponse

from belfry.mail.addresses import ascii_domain, is_plain
from belfry.mail.breaker import Breaker
from belfry.mail.relay import Relay, Tls

__all__ = ["LeaseLost", "MailDelayed", "MailError", "MailRefused", "MailUncertain", "Mailer", "RelayUnavailable"]

IDLE_SECONDS = 15.0
SERVICE_CLOSING = 421
START_INPUT = 354
OUR_FAULT = frozenset({530, 534, 535, 538})  # authentication: says nothing about the recipient


class MailError(Exception):
    def __init__(self, text: str, code: int | None = None) -> None:
        self.text = text.encode("utf-8", "replace").decode().replace("\0", "")[:500]  # a server may say anything
        super().__init__(self.text if code is None else f"{code} {self.text}")
        self.code = code


class MailDelayed(MailError): ...


class MailUncertain(MailDelayed): ...


class MailRefused(MailError): ...


class RelayUnavailable(MailError):
    """`tried` tells a mail that found out from one that was spared."""

    tried = True


class LeaseLost(Exception): ...


class Mailer:
    def __init__(
        self, relay: Relay, *, sender: str, connections: int, seconds: float, breaker: Breaker | None = None
    ) -> None:
        self._relay = relay
        self._sender = parseaddr(sender)[1]
        self._seconds = seconds
        self._slots = asyncio.Semaphore(connections)
        self._idle: list[tuple[SMTP, float]] = []
        self._sweeper: asyncio.TimerHandle | None = None
        self._context = None if relay.tls is Tls.NONE else ssl.create_default_context()
        self.breaker = breaker or Breaker()

    async def send(self, recipient: str, render: Callable[[], bytes], hand_over: Callable[[], Awaitable[bool]]) -> str:
        """Send one mail to one recipient; returns the server's word on it.

        `hand_over` is asked once the server agreed to the recipient, just before the content; if it says no, nothing
        is sent. `render` is called when a connection is free, so that a long queue does not hold its mails in memory.

        Raises:
            MailDelayed, MailUncertain, MailRefused, RelayUnavailable, LeaseLost
        """
        if not is_plain(recipient):
            raise MailRefused("not an e-mail address")
        async with self._slots:
            if self.breaker.pause > 0:
                spared = RelayUnavailable("the relay was found unavailable a moment ago")
                spared.tried = False
                raise spared
            try:
                said = await self._transaction(recipient, render(), hand_over)
            except RelayUnavailable as error:
                self.breaker.failed(str(error))
                raise
            except MailError as error:
                if error.code is not None:  # whatever it said about this mail, it answered
                    self.breaker.succeeded()
                raise
            self.breaker.succeeded()
            return said

    async def close(self) -> None:
        """Say goodbye to the idle connections. Those in use belong to whoever is sending."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        idle, self._idle = self._idle, []
        await asyncio.gather(*(_quit(client) for client, _ in idle))

    async def _transaction(self, recipient: str, message: bytes, hand_over: Callable[[], Awaitable[bool]]) -> str:
        deadline = asyncio.get_running_loop().time() + self._seconds
        client = await self._begin(recipient, deadline)
        transfer = Transfer(client)
        keep = False
        try:
            async with asyncio.timeout_at(deadline):
                said = await transfer.run(recipient, message, hand_over)
            keep = True
            return said
        except TimeoutError:
            raise transfer.lost(f"no answer within {self._seconds:g} s") from None
        except SMTPServerDisconnected as error:
            raise transfer.lost(f"connection lost: {error}") from error
        except (MailDelayed, MailRefused, LeaseLost) as error:
            # The server answered, so the two of us are in step; RSET forgets the sender already named.
            keep = getattr(error, "code", None) != SERVICE_CLOSING and await _reset(client, deadline)
            raise
        finally:
            # Anything else, a cancellation above all, leaves a reply under way that the next mail would take for its
            # own: such a connection is closed.
            self._give_back(client) if keep else client.close()

    async def _begin(self, recipient: str, deadline: float) -> SMTP:
        """Get a connection on which MAIL has been accepted.

        A pooled one may have been closed by the server a moment ago. Nothing has been said about a recipient yet, so
        it costs the mail nothing to start again on another.
        """
        while self._idle:
            client, _ = self._idle.pop()
            try:
                async with asyncio.timeout_at(deadline):
                    await self._mail(client, recipient)
                return client
            except TimeoutError:
                client.close()
                raise MailDelayed("no answer to MAIL") from None
            except (SMTPException, OSError):
                client.close()
            except BaseException:
                client.close()
                raise
        client = self._relay.client(self._context)
        try:
            return await self._connect(client, recipient, deadline)
        except BaseException:
            client.close()
            raise

    async def _connect(self, client: SMTP, recipient: str, deadline: float) -> SMTP:
        try:
            async with asyncio.timeout_at(deadline):
                await client.connect()
                if client.is_ehlo_or_helo_needed:
                    await client.ehlo()
                await self._mail(client, recipient)
        except SMTPSenderRefused as error:
            if error.code < 500:
                raise MailDelayed(error.message, error.code) from error
            raise RelayUnavailable(f"it refuses our sender address: {error.message}", error.code) from error
        except SMTPResponseException as error:
            raise RelayUnavailable(error.message, error.code) from error
        except TimeoutError:
            raise RelayUnavailable(f"no connection within {self._seconds:g} s") from None
        except (SMTPException, OSError, ValueError) as error:
            raise RelayUnavailable(str(error) or type(error).__name__) from error
        return client

    async def _mail(self, client: SMTP, recipient: str) -> None:
        if ascii_domain(recipient).isascii():
            await client.mail(self._sender)
        elif client.supports_extension("smtputf8"):
            await client.mail(self._sender, options=["SMTPUTF8", "BODY=8BITMIME"], encoding="utf-8")
        else:
            raise MailRefused("the address is not ASCII and the relay does not offer SMTPUTF8")

    def _give_back(self, client: SMTP) -> None:
        if client.is_connected:
            self._idle.append((client, time.monotonic()))
            if self._sweeper is None:
                self._sweeper = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._close_idle)

    def _close_idle(self) -> None:
        self._sweeper = None
        now = time.monotonic()
        for client, since in self._idle:
            if now - since >= IDLE_SECONDS:
                client.close()
        self._idle = [(client, since) for client, since in self._idle if client.is_connected]
        if self._idle:
            self._sweeper = asyncio.get_running_loop().call_later(IDLE_SECONDS / 2, self._close_idle)


class Transfer:
    """RCPT and DATA, and the memory of how far it came: only after the final dot is a lost reply ambiguous."""

    def __init__(self, client: SMTP) -> None:
        self._client = client
        self._dot_sent = False

    def lost(self, what: str) -> MailDelayed:
        return MailUncertain(f"{what}, after the mail was handed over") if self._dot_sent else MailDelayed(what)

    async def run(self, recipient: str, message: bytes, hand_over: Callable[[], Awaitable[bool]]) -> str:
        client = self._client
        try:
            await client.rcpt(ascii_domain(recipient), encoding="utf-8")
        except SMTPRecipientRefused as error:
            raise _decision(error.code, error.message) from error
        if not await hand_over():
            raise LeaseLost
        answer = await client.execute_command(b"DATA")
        if answer.code != START_INPUT:
            raise _decision(answer.code, answer.message)
        protocol = client.protocol
        if protocol is None:
            raise SMTPServerDisconnected("closed before the content")
        protocol.write(_dot_stuffed(message))
        self._dot_sent = True
        try:
            answer = await protocol.read_response()
        except SMTPResponseException as error:  # not a reply at all
            client.close()
            raise self.lost(error.message) from error
        if not 200 <= answer.code < 300:
            raise _decision(answer.code, answer.message)
        return _said(answer)


def _dot_stuffed(message: bytes) -> bytes:
    """The content as DATA wants it (RFC 5321, 4.5.2). Our letters end in CRLF and have no other line ends."""
    return message.replace(b"\r\n.", b"\r\n..") + b".\r\n"


def _decision(code: int, text: str) -> MailError:
    if code in OUR_FAULT:
        return RelayUnavailable(text, code)
    return MailRefused(text, code) if 500 <= code < 600 else MailDelayed(text, code)


def _said(answer: SMTPResponse) -> str:
    return f"{answer.code} {answer.message}"


async def _reset(client: SMTP, deadline: float) -> bool:
    try:
        async with asyncio.timeout_at(deadline):
            await client.rset()
    except (SMTPException, OSError):
        return False
    return True


async def _quit(client: SMTP) -> None:
    try:
        async with asyncio.timeout(1):
            await client.quit()
    except (SMTPException, OSError):
        client.close()
