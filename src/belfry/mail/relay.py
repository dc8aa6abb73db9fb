"""The SMTP server we hand our mail to, as `BELFRY_SMTP_URL` names it."""

import ipaddress
import ssl
from enum import StrEnum
from typing import Self
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec
from aiosmtplib import SMTP

from belfry.settings import SettingsError

__all__ = ["Relay", "Tls"]


class Tls(StrEnum):
    NONE = "none"
    STARTTLS = "starttls"  # required: without it nothing is sent, least of all a password
    ALWAYS = "always"


class Relay(msgspec.Struct, frozen=True, kw_only=True):
    host: str
    port: int
    tls: Tls
    username: str | None = None
    password: str | None = None

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read `smtp://` (STARTTLS required, except on loopback), `smtps://` (TLS from the start), `?tls=none`.

        Raises:
            SettingsError: the URL is of no such form. The message never shows the password.
        """
        parts = urlsplit(url)
        query = parse_qs(parts.query, keep_blank_values=True)
        try:
            host, port = parts.hostname, parts.port
        except ValueError:
            host = port = None
        expected = "it must look like smtp://user:password@mail.example.com:587, smtps://... or smtp://...?tls=none"
        if parts.scheme not in ("smtp", "smtps") or not host or parts.path not in ("", "/"):
            raise SettingsError(f"BELFRY_SMTP_URL is not usable: {expected}")
        if query not in ({}, {"tls": ["none"]}) or (query and parts.scheme == "smtps"):
            raise SettingsError(f"BELFRY_SMTP_URL has a query that means nothing here: {expected}")

        if parts.scheme == "smtps":
            tls = Tls.ALWAYS
        elif query or _is_loopback(host):
            tls = Tls.NONE
        else:
            tls = Tls.STARTTLS
        username = unquote(parts.username) if parts.username else None
        return cls(
            host=host,
            port=port or {Tls.ALWAYS: 465, Tls.STARTTLS: 587, Tls.NONE: 25}[tls],
            tls=tls,
            username=username,
            password=unquote(parts.password or "") if username else None,
        )

    def client(self, context: ssl.SSLContext | None) -> SMTP:
        """A connection yet to be opened. It has no deadlines of its own: whoever sends sets one for the whole."""
        return SMTP(
            hostname=self.host,
            port=self.port,
            username=self.username,
            password=self.password,
            local_hostname="[127.0.0.1]" if _is_loopback(self.host) else None,
            use_tls=self.tls is Tls.ALWAYS,
            start_tls=self.tls is Tls.STARTTLS,  # None would mean "if offered", and an attacker need only not offer it
            tls_context=context if self.tls is not Tls.NONE else None,
            timeout=None,
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
