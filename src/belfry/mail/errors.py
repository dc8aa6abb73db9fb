"""What went wrong with a mail, named after what to do about it.

MailDelayed         try again later: 4xx, a timeout, a lost connection
    MailUncertain   the same, but the server may have taken it: its reply to the final dot was lost
MailRefused         never try again: 5xx for this recipient or this content
    NoSuchMailbox   the same, and for any mail to this address: 5.1.1 (RFC 3463)
RelayUnavailable    nobody's mail can be sent: the relay is down or our configuration is wrong
    Spared          the same, known without having asked; or it is too early for another mail
LeaseLost           the delivery is no longer ours; send nothing and record nothing
"""

__all__ = [
    "LeaseLost",
    "MailDelayed",
    "MailError",
    "MailRefused",
    "MailUncertain",
    "NoSuchMailbox",
    "RelayUnavailable",
    "Spared",
]


class MailError(Exception):
    def __init__(self, text: str, code: int | None = None) -> None:
        self.text = text.encode("utf-8", "replace").decode().replace("\0", "")[:500]  # a server may say anything
        super().__init__(self.text if code is None else f"{code} {self.text}")
        self.code = code


class MailDelayed(MailError): ...


class MailUncertain(MailDelayed): ...


class MailRefused(MailError): ...


class NoSuchMailbox(MailRefused):
    def __init__(self, text: str, code: int, *, address: str) -> None:
        super().__init__(text, code)
        self.address = address


class RelayUnavailable(MailError): ...


class Spared(RelayUnavailable): ...


class LeaseLost(Exception): ...
