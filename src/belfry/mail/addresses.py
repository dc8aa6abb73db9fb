"""E-mail addresses on the wire."""

__all__ = ["ascii_domain"]


def ascii_domain(address: str) -> str:
    """The address with its domain as the DNS knows it (IDNA). If that is not ASCII yet, the relay needs SMTPUTF8."""
    if address.isascii():
        return address
    local, at, domain = address.rpartition("@")
    try:
        return f"{local}{at}{domain.encode('idna').decode()}"
    except UnicodeError:
        return address
