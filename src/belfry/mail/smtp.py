"""Giving mail to the relay: connections that are used again, one recipient a transaction, and one deadline for it all.

What goes wrong is named in `errors`.
"""

import asyncio
import re
import ssl
import time
from collections.abc import Awaitable, Callable
from email.utils import parseaddr
from typing import cast

from aiosmtplib import SMTPException, SMTPResponseException

from belfry.mail.addresses import ascii_domain, is_plain
from belfry.mail.breaker import Breaker
from belfry.mail.dialog import Dialog, Lost, Reply
from belfry.mail.errors import (
    LeaseLost,
    MailDelayed,
    MailError,
    MailRefused,
    MailUncertain,
    NoSuchMailbox,
    RelayUnavailable,
    Spared,
)
from belfry.mail.pace import NotNow, Pace
from belfry.mail.relay import Relay, Tls

__all__ = ["Mailer"]

IDLE_SECONDS = 15.0
SERVICE_CLOSING = 421
START_INPUT = 354
NO_SUCH_MAILBOX = re.compile(r"5\.1\.1\b")
OUR_FAULT = frozenset({530, 534, 535, 538})  # authentication: says nothing about the recipient

Render = Callable[[], bytes]
HandOver = Callable[[], Awaitable[bool]]


class Mailer:
    """A connection for each mail that is sent at once: how many those are is for the caller to say.

    `sending` mails are with the server at this moment, `sent` were taken by it so far.
    """

    def __init__(
        self,
        relay: Relay,
        *,
        sender: str,
        seconds: float,
        breaker: Breaker | None = None,
        pace: Pace | None = None,
    ) -> None:
        self._relay = relay
        self._sender = ascii_domain(parseaddr(sender)[1]).encode()
        self._seconds = seconds
        self._idle: list[tuple[Dialog, float]] = []
        self._sweeper: asyncio.TimerHandle | None = None
        self._context = None if relay.tls is Tls.NONE else ssl.create_default_context()
        self.breaker = breaker or Breaker()
        self.pace = pace
        self.sending = 0
        self.sent = 0

    async def send(self, recipient: str, render: Render, hand_over: HandOver) -> str:
        """Send one mail to one recipient; returns the server's word on it.

        `hand_over` is asked just before DATA goes out; if it says no, nothing is sent. `render` is called when there
        is a connection.

        Raises:
            MailDelayed, MailUncertain, MailRefused, RelayUnavailable, LeaseLost
        """
        if not is_plain(recipient):
            raise MailRefused("not an e-mail address")
        await self._turn()
        self.sending += 1
        try:
            said = await self._transaction(recipient, render, hand_over)
        except RelayUnavailable as error:
            self.breaker.failed(str(error))
            raise
        except MailError as error:
            if error.code is not None:  # whatever it said about this mail, it answered
                self.breaker.succeeded()
            raise
        finally:
            self.sending -= 1
        self.breaker.succeeded()
        self.sent += 1
        return said

    async def _turn(self) -> None:
        """Wait until the pace allows another mail. Raises RelayUnavailable where it is not worth trying now."""
        if self.pace is not None:
            try:
                await self.pace.turn()
            except NotNow:
                raise Spared("the limit of mails a second is used up for a while") from None
        if self.breaker.pause > 0:
            raise Spared("the relay was found unavailable a moment ago")

    async def close(self) -> None:
        """Say goodbye to the idle connections. Those in use belong to whoever is sending."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        idle, self._idle = self._idle, []
        await asyncio.gather(*(_quit(dialog) for dialog, _ in idle))

    async def _transaction(self, recipient: str, render: Render, hand_over: HandOver) -> str:
        deadline = asyncio.get_running_loop().time() + self._seconds
        while True:
            pooled = self._rested()
            dialog = pooled or await self._connect(deadline)
            envelope = self._envelope(dialog, recipient)
            transfer = Transfer(dialog, recipient)
            try:
                return await self._transfer(transfer, dialog, envelope, render, hand_over, deadline)
            except NotBegun as error:
                # A pooled connection may have been closed by the server a moment ago. Nothing has been agreed on a
                # recipient, so it costs the mail nothing to start again on another.
                if pooled is None:
                    raise error.decision from error
                if deadline <= asyncio.get_running_loop().time():
                    raise MailDelayed("no answer to MAIL") from None

    async def _transfer(
        self,
        transfer: "Transfer",
        dialog: Dialog,
        envelope: list[bytes],
        render: Render,
        hand_over: HandOver,
        deadline: float,
    ) -> str:
        keep = False
        try:
            async with asyncio.timeout_at(deadline):
                said = await transfer.run(envelope, render, hand_over)
            keep = True
            return said
        except TimeoutError:
            if transfer.said is not None:  # we were stopped for a while: it had answered in time
                return transfer.said
            raise transfer.lost(f"no answer within {self._seconds:g} s") from None
        except Lost as error:
            raise transfer.lost(str(error)) from error
        except (MailDelayed, MailRefused, LeaseLost) as error:
            # The server answered, so the two of us are in step; RSET forgets the sender already named.
            keep = getattr(error, "code", None) != SERVICE_CLOSING and await _reset(dialog, deadline)
            raise
        finally:
            # Anything else, a cancellation above all, leaves a reply under way that the next mail would take for its
            # own: such a connection is closed.
            self._give_back(dialog) if keep else dialog.close()

    async def _connect(self, deadline: float) -> Dialog:
        client = self._relay.client(self._context)
        try:
            async with asyncio.timeout_at(deadline):
                await client.connect()
                if client.is_ehlo_or_helo_needed:
                    await client.ehlo()
        except SMTPResponseException as error:
            client.close()
            raise RelayUnavailable(error.message, error.code) from error
        except TimeoutError:
            client.close()
            raise RelayUnavailable(f"no connection within {self._seconds:g} s") from None
        except (SMTPException, OSError, ValueError) as error:
            client.close()
            raise RelayUnavailable(str(error) or type(error).__name__) from error
        except BaseException:
            client.close()
            raise
        return Dialog(cast(asyncio.Transport, client.transport), extensions=frozenset(client.esmtp_extensions))

    def _envelope(self, dialog: Dialog, recipient: str) -> list[bytes]:
        """The commands that come before the content."""
        to = ascii_domain(recipient)
        options = b""
        if not to.isascii():
            if "smtputf8" not in dialog.extensions:
                self._give_back(dialog)
                raise MailRefused("the address is not ASCII and the relay does not offer SMTPUTF8")
            options = b" SMTPUTF8 BODY=8BITMIME"
        return [b"MAIL FROM:<%b>%b" % (self._sender, options), b"RCPT TO:<%b>" % to.encode(), b"DATA"]

    def _rested(self) -> Dialog | None:
        """A connection from the pool that the server has not closed meanwhile, as far as we have heard."""
        while self._idle:
            dialog, _ = self._idle.pop()
            if dialog.is_open:
                return dialog
        return None

    def _give_back(self, dialog: Dialog) -> None:
        if dialog.is_open:
            self._idle.append((dialog, time.monotonic()))
            if self._sweeper is None:
                self._sweeper = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._close_idle)

    def _close_idle(self) -> None:
        self._sweeper = None
        now = time.monotonic()
        for dialog, since in self._idle:
            if now - since >= IDLE_SECONDS:
                dialog.close()
        self._idle = [(dialog, since) for dialog, since in self._idle if dialog.is_open]
        if self._idle:
            self._sweeper = asyncio.get_running_loop().call_later(IDLE_SECONDS / 2, self._close_idle)


class NotBegun(Exception):
    """The server did not agree to MAIL. On a connection just opened `decision` is what that means."""

    def __init__(self, decision: MailError) -> None:
        super().__init__(str(decision))
        self.decision = decision


class Transfer:
    """One mail, and the memory of how far it came: only after the final dot is a lost reply ambiguous."""

    def __init__(self, dialog: Dialog, recipient: str) -> None:
        self._dialog = dialog
        self._recipient = recipient
        self._begun = False
        self._dot_sent = False

    @property
    def said(self) -> str | None:
        """The server's word that it has the mail, if that has come."""
        replies = self._dialog.replies
        return str(replies[0]) if self._dot_sent and replies and replies[0].taken else None

    def lost(self, what: str) -> MailDelayed | NotBegun:
        if not self._begun and not self._dialog.replies:
            return NotBegun(RelayUnavailable(what))
        return MailUncertain(f"{what}, after the mail was handed over") if self._dot_sent else MailDelayed(what)

    async def run(self, envelope: list[bytes], render: Render, hand_over: HandOver) -> str:
        message = render()
        mail, rcpt, data = envelope
        groups = [(mail, rcpt, data)] if self._dialog.groups else [(mail,), (rcpt,), (data,)]
        for group in groups:
            if data in group and not await hand_over():
                raise LeaseLost
            await self._agree(group)
        self._dot_sent = True
        reply = await self._dialog.content(message)
        if not reply.taken:
            raise _decision(reply)
        return str(reply)

    async def _agree(self, group: tuple[bytes, ...]) -> None:
        """Send some of the envelope. Raises what the first reply that says no means."""
        replies = await self._dialog.ask(*group)
        if not self._begun and not replies[0].positive:
            raise NotBegun(_at_mail(replies[0]))
        self._begun = True
        refused = next((reply for reply in replies if not reply.positive), None)
        if refused is None and len(replies) < len(group):
            raise Lost("connection lost")
        if refused is None and group[-1] == b"DATA" and replies[-1].code != START_INPUT:
            refused = replies[-1]
        if refused is not None:
            command = group[replies.index(refused)]
            if len(replies) == len(group) > 1 and replies[-1].code == START_INPUT:
                await self._dialog.ask(b".")  # it waits for content although nobody is to get it (RFC 2920, 3.1)
            if command.startswith(b"RCPT") and 500 <= refused.code < 600 and NO_SUCH_MAILBOX.match(refused.text):
                raise NoSuchMailbox(refused.text, refused.code, address=self._recipient)
            raise _decision(refused)


def _at_mail(reply: Reply) -> MailError:
    if reply.code < 500:
        return MailDelayed(reply.text, reply.code)
    about = "" if reply.code in OUR_FAULT else " (said of our sender address)"
    return RelayUnavailable(reply.text + about, reply.code)


def _decision(reply: Reply) -> MailError:
    if reply.code in OUR_FAULT:
        return RelayUnavailable(reply.text, reply.code)
    return MailRefused(reply.text, reply.code) if 500 <= reply.code < 600 else MailDelayed(reply.text, reply.code)


async def _reset(dialog: Dialog, deadline: float) -> bool:
    try:
        async with asyncio.timeout_at(deadline):
            await dialog.ask(b"RSET")
    except (Lost, OSError):
        return False
    return True


async def _quit(dialog: Dialog) -> None:
    try:
        async with asyncio.timeout(1):
            await dialog.ask(b"QUIT")
    except (Lost, OSError):
        pass  # we only wanted to be polite
    dialog.close()
