"""Everything that can be set from outside, read once in the entry point and passed on as an argument."""

import ipaddress
import os
import re
from collections.abc import Mapping
from typing import Literal, Self, get_type_hints
from urllib.parse import urlsplit

import msgspec
from dotenv import dotenv_values

PREFIX = "BELFRY_"
Registration = Literal["open", "invitation", "closed"]
ORIGIN = re.compile(r"https?://[a-z0-9.\-\[\]:]+")  # as browsers write it: no path, no capitals
WEB_ADDRESS = re.compile(r"https?://[\x21-\x3b\x3d\x3f-\x7e]+")  # anything but spaces and angle brackets


class SettingsError(ValueError):
    """A setting is missing or unusable. The message names the variable and what was expected."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """One field a variable: `port` is `BELFRY_PORT`. Durations are in seconds. `.env.example` explains each."""

    database_url: str
    redis_url: str
    secret_key: str
    secret_key_old: str = ""
    host: str = "127.0.0.1"
    port: int = 8000
    stream_redis_url: str = ""
    smtp_url: str = "smtp://127.0.0.1:25"
    smtp_connections: int = 10
    smtp_rate: float = 0.0
    mail_from: str = "Belfry <belfry@localhost>"
    mail_catcher_dir: str = ""
    public_url: str = "http://localhost:8000"
    cors_origins: str = ""
    data_dir: str = ".belfry"
    admin_email: str = "admin@example.com"
    admin_password: str = ""
    registration: Registration = "open"
    require_verified_email: bool = False
    uncertain: Literal["resend", "hold"] = "resend"
    broadcast_sender: str = ""
    window_days: int = 90
    audit_days: int = 365
    access_token_seconds: int = 900
    session_days: int = 30
    session_most_days: int = 365
    trusted_proxies: str = ""
    login_failures_per_account: int = 10
    login_failures_per_address: int = 30
    registrations_per_address: int = 200
    sends_per_member: int = 60
    security_mails_per_recipient: int = 5
    security_mails_per_address: int = 30
    reset_link_seconds: int = 1_800
    verify_link_seconds: int = 86_400
    invitation_days: int = 7
    confirmed_seconds: int = 600
    streams_per_user: int = 20
    replay_limit: int = 500
    position_check_seconds: float = 15.0
    heartbeat_seconds: float = 5.0
    lagging_seconds: float = 30.0
    sweep_seconds: int = 15
    lease_seconds: int = 120
    send_seconds: float = 30.0
    attempts: int = 8
    page_cache: bool = True
    database_pool: int = 10

    def __post_init__(self) -> None:
        for name, key in (("SECRET_KEY", self.secret_key), ("SECRET_KEY_OLD", self.secret_key_old or self.secret_key)):
            if len(key.encode()) < 32:
                raise SettingsError(
                    f"{PREFIX}{name} has {len(key.encode())} bytes; it signs tokens and needs at least 32. "
                    "Make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
                )
        if WEB_ADDRESS.fullmatch(self.public_url) is None:
            raise SettingsError(
                f"{PREFIX}PUBLIC_URL is {self.public_url!r}, but must look like https://belfry.example.com, in ASCII: "
                "it stands in the headers of mail"
            )
        for network in filter(None, map(str.strip, self.trusted_proxies.split(","))):
            try:
                ipaddress.ip_network(network)
            except ValueError:
                raise SettingsError(
                    f"{PREFIX}TRUSTED_PROXIES: {network!r} is neither an address nor a network such as 10.0.0.0/8"
                ) from None
        for origin in self.allowed_origins:
            if not _is_origin(origin):
                raise SettingsError(
                    f"{PREFIX}CORS_ORIGINS names {origin!r}, but each must be an exact origin as browsers send it, "
                    "like https://app.example.com or http://localhost:3000: in ASCII, without a path, a wildcard, or "
                    "the port that goes without saying"
                )
        if self.smtp_rate < 0:
            raise SettingsError(f"{PREFIX}SMTP_RATE is {self.smtp_rate:g}, but must be 0 (no limit) or more")
        if self.send_seconds >= self.lease_seconds:
            raise SettingsError(
                f"{PREFIX}SEND_SECONDS is {self.send_seconds}, but must be below {PREFIX}LEASE_SECONDS, "
                f"{self.lease_seconds}: a worker may not still be sending when its lease has run out"
            )

    @property
    def pubsub_url(self) -> str:
        """The Redis that carries stream events: its own, or the queue's."""
        return self.stream_redis_url or self.redis_url

    @property
    def allowed_origins(self) -> tuple[str, ...]:
        """The other sites whose pages may use the API."""
        return tuple(origin.strip() for origin in self.cors_origins.split(",") if origin.strip())

    @property
    def secure(self) -> bool:
        """Whether browsers reach Belfry over https, and cookies can insist on it."""
        return urlsplit(self.public_url).scheme == "https"

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None, **given: object) -> Self:
        """Read `BELFRY_*` from the environment; a `.env` file in the working directory fills in what is not set there.

        Raises:
            SettingsError: a variable is missing or not of the right form.
        """
        if env is None:
            env = {**{name: value or "" for name, value in dotenv_values(".env").items()}, **os.environ}
        values: dict[str, object] = {
            f: env[PREFIX + f.upper()] for f in cls.__struct_fields__ if env.get(PREFIX + f.upper())
        }
        values |= given
        for field in ("database_url", "redis_url", "secret_key"):
            if field not in values:
                raise SettingsError(
                    f"{PREFIX}{field.upper()} is not set. `belfry up` starts everything it needs by itself"
                )
        try:
            return msgspec.convert(values, cls, strict=False)
        except msgspec.ValidationError as error:
            raise SettingsError(_readable(str(error), cls)) from None


def _is_origin(origin: str) -> bool:
    """Whether browsers can send exactly this in the header Origin."""
    if ORIGIN.fullmatch(origin) is None:
        return False
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:
        return False
    usual = {"http": 80, "https": 443}[parts.scheme]
    return bool(parts.hostname) and port != usual and not parts.netloc.endswith(":")


def _readable(message: str, cls: type[Settings]) -> str:
    """Turn `Expected int, got str - at $.port` into words about the variable."""
    expected, _, path = message.partition(" - at `$.")
    field = path.rstrip("`")
    return f"{PREFIX}{field.upper()}: {expected}" if field in get_type_hints(cls) else message
