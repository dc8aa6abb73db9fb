"""E-mail addresses on the wire."""

import re

__all__ = ["ascii_domain", "is_plain"]

# Quoted local parts are left out on purpose: nobody has one, and they are where parsers disagree.
PLAIN = re.compile(r"[^\s<>()\[\],;:\\\"@\x00-\x1f\x7f-\x9f]+@[^\s<>()\[\],;:\\\"@\x00-\x1f\x7f-\x9f]+")


def is_plain(address: str) -> bool:
    """Whether an address means itself wherever it is put: on a command line of SMTP, in a header."""
    return PLAIN.fullmatch(address) is not None


def ascii_domain(address: str) -> str:
    """The address with its domain as the DNS knows it (IDNA). If that is not ASCII yet, the relay needs SMTPUTF8."""
    if address.isascii():
        return address
    local, at, domain = address.rpartition("@")
    try:
        return f"{local}{at}{domain.encode('idna').decode()}"
    except UnicodeError:
        return address
