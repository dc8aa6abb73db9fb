"""Everything that can be set from outside, read once in the entry point and passed on as an argument."""

import ipaddress
import os
import re
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Literal, Self, get_type_hints
from urllib.parse import unquote, urlsplit

import msgspec
from dotenv import dotenv_values

PREFIX = "BELFRY_"
Registration = Literal["open", "invitation", "closed"]
FILE = "_FILE"  # behind a secret's name: where it stands, as containers and systemd hand secrets out
URLS = ("database_url", "redis_url", "stream_redis_url", "smtp_url")  # which may hold a password
SECRETS = (*URLS, "secret_key", "secret_key_old", "admin_password")
SHORTEST_HIDDEN = 8  # of what is blotted out in logs; shorter ones are words too
EXAMPLES = re.compile(
    r"change.?me|example|placeholder|replace|insecure|your.?secret|secret.?key|password", re.IGNORECASE
)
FEWEST_CHARACTERS = 8  # different ones: a random key of 32 has some 20
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
    streams_per_address: int = 2_000
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
            if (weakness := _weakness(key)) is not None:
                raise SettingsError(
                    f"{PREFIX}{name} {weakness}. "
                    "Make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
                )
        for name in URLS:
            _check_url(name, getattr(self, name))
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
    def secrets(self) -> set[str]:
        """What must never be shown: keys and passwords, as they are and as they stand in URLs."""
        found = {self.secret_key, self.secret_key_old, self.admin_password}
        for url in (self.database_url, self.redis_url, self.stream_redis_url, self.smtp_url):
            password = urlsplit(url).password or ""
            found |= {password, unquote(password)}
        return {each for each in found if len(each) >= SHORTEST_HIDDEN}

    @property
    def secure(self) -> bool:
        """Whether browsers reach Belfry over https, and cookies can insist on it."""
        return urlsplit(self.public_url).scheme == "https"

    @property
    def local(self) -> bool:
        """Whether browsers reach Belfry on this machine only, beside whatever else runs here."""
        host = urlsplit(self.public_url).hostname or ""
        return host in ("localhost", "::1") or host.startswith("127.")

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None, **given: object) -> Self:
        """Read `BELFRY_*` from the environment, as `environment` has it unless another is given.

        Raises:
            SettingsError: a variable is missing or not of the right form.
        """
        env = environment() if env is None else _with_files(env)
        values: dict[str, object] = {
            f: env[PREFIX + f.upper()] for f in cls.__struct_fields__ if env.get(PREFIX + f.upper())
        }
        values |= given
        for field in ("database_url", "redis_url", "secret_key"):
            if field not in values:
                name = f"{PREFIX}{field.upper()}"
                raise SettingsError(
                    f"{name} is not set, nor is {name}{FILE}. `belfry up` starts everything it needs by itself"
                )
        try:
            return msgspec.convert(values, cls, strict=False)
        except msgspec.ValidationError as error:
            raise SettingsError(_readable(str(error), cls)) from None


def environment() -> dict[str, str]:
    """The environment, with a `.env` file in the working directory filling in what is not set there.

    In both a secret may stand in a file that `..._FILE` names; here it is set as if it stood there itself.

    Raises:
        SettingsError: such a file cannot be read, or both were given.
    """
    file = {name: value or "" for name, value in dotenv_values(".env").items()}
    return _with_files(file) | _with_files(os.environ)


def _with_files(env: Mapping[str, str]) -> dict[str, str]:
    found = dict(env)
    for name in (PREFIX + secret.upper() for secret in SECRETS):
        if path := found.pop(name + FILE, ""):
            if found.get(name):
                raise SettingsError(f"{name} and {name}{FILE} are both set; it must be one of them")
            found[name] = _in_file(name + FILE, path)
    return found


def _in_file(name: str, path: str) -> str:
    try:
        secret = Path(path).read_text().strip()
    except OSError as error:
        raise SettingsError(f"{name}: {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{name}: {path} is not text") from None
    if not secret or len(secret.splitlines()) > 1:
        raise SettingsError(f"{name}: {path} must hold one line, the secret, and not {len(secret.splitlines())}")
    return secret


def _check_url(name: str, url: str) -> None:
    """Refuse what libraries cannot take apart: what they would say of it shows pieces of the password."""
    try:
        urlsplit(url).port  # noqa: B018
    except ValueError:
        raise SettingsError(
            f"{PREFIX}{name.upper()} is not a URL. In a password, characters other than letters, digits and -._~ "
            "are written as %40 and so on (percent-encoding)"
        ) from None


def _weakness(key: str) -> str | None:
    """What is wrong with a key that signs tokens, if anything."""
    if (size := len(key.encode())) < 32:
        return f"has {size} bytes; it signs tokens and needs at least 32"
    if (few := len(set(key))) < FEWEST_CHARACTERS:
        return f"consists of {few} different characters, so that it could be guessed; it signs tokens"
    if sum(ord(after) - ord(before) == 1 for before, after in pairwise(key)) > len(key) / 2:
        return "goes on as the alphabet does, so that it could be guessed; it signs tokens"
    if found := EXAMPLES.search(key):
        return f"contains {found[0]!r}, as examples do, so that it could be guessed; it signs tokens"
    return None


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
