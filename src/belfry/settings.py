"""Everything that can be set from outside, read once in the entry point and passed on as an argument."""

import os
from collections.abc import Mapping
from typing import Literal, Self, get_type_hints
from urllib.parse import urlsplit

import msgspec
from dotenv import dotenv_values

PREFIX = "BELFRY_"


class SettingsError(ValueError):
    """A setting is missing or unusable. The message names the variable and what was expected."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """One field a variable: `port` is `BELFRY_PORT`. Durations are in seconds. `.env.example` explains each."""

    database_url: str
    redis_url: str
    secret_key: str
    host: str = "127.0.0.1"
    port: int = 8000
    stream_redis_url: str = ""
    smtp_url: str = "smtp://127.0.0.1:25"
    smtp_connections: int = 10
    mail_from: str = "Belfry <belfry@localhost>"
    mail_catcher_dir: str = ""
    public_url: str = "http://localhost:8000"
    data_dir: str = ".belfry"
    admin_email: str = "admin@example.com"
    admin_password: str = ""
    uncertain: Literal["resend", "hold"] = "resend"
    window_days: int = 90
    access_token_seconds: int = 12 * 3600
    session_days: int = 30
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
        if len(self.secret_key.encode()) < 32:
            raise SettingsError(
                f"{PREFIX}SECRET_KEY has {len(self.secret_key.encode())} bytes; it signs tokens and needs at least 32. "
                "Make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
            )
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


def _readable(message: str, cls: type[Settings]) -> str:
    """Turn `Expected int, got str - at $.port` into words about the variable."""
    expected, _, path = message.partition(" - at `$.")
    field = path.rstrip("`")
    return f"{PREFIX}{field.upper()}: {expected}" if field in get_type_hints(cls) else message
