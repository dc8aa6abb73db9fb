"""E-mail addresses on the wire."""

import re

__all__ = ["ascii_domain", "is_plain"]

# A dot-atom on either side (RFC 5322, 3.2.3). Quoted local parts are left out on purpose: nobody has one, and they are
# where parsers disagree; as they do about empty atoms.
ATOM = r"[^\s.<>()\[\],;:\\\"@\x00-\x1f\x7f-\x9f]+"
PLAIN = re.compile(rf"{ATOM}(\.{ATOM})*@{ATOM}(\.{ATOM})*")
NAME = re.compile(r"[A-Za-z0-9._-]+")


def is_plain(address: str) -> bool:
    """Whether an address means itself wherever it is put: on a command line of SMTP, in a header."""
    return PLAIN.fullmatch(address) is not None


def ascii_domain(address: str) -> str:
    """The address with its domain as the DNS knows it (IDNA). If that is not ASCII yet, the relay needs SMTPUTF8."""
    if address.isascii():
        return address
    local, at, domain = address.rpartition("@")
    try:
        encoded = domain.encode("idna").decode()
    except UnicodeError:
        return address
    # a name of letters, digits and hyphens; the encoder normalises other things into spaces and brackets
    return f"{local}{at}{encoded}" if NAME.fullmatch(encoded) else address
