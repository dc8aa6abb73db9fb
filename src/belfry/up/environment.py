"""What the environment says, and what `up` adds to it for its children."""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from belfry.settings import PREFIX, Settings


def has(env: Mapping[str, str], setting: str) -> bool:
    return bool(env.get(PREFIX + setting))


def settings_before(env: Mapping[str, str]) -> Settings:
    """The settings as far as they are known before anything has been started; mistakes in them are found now.

    Raises:
        SettingsError: as `Settings.from_env`, but not for what `up` provides.
    """
    provided = {
        "database_url": "postgresql:",
        "redis_url": "unix:",
        "secret_key": "to be made by `up`, in its data directory",
    }
    missing = {name: value for name, value in provided.items() if not has(env, name.upper())}
    return Settings.from_env(env, **missing)


def secret_key(data_dir: Path) -> str:
    """The key kept in the data directory, made at the first call."""
    path = data_dir / "secret_key"
    if not path.exists():
        unfinished = data_dir / "secret_key.new"
        unfinished.unlink(missing_ok=True)
        with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
        unfinished.rename(path)
    return path.read_text()
