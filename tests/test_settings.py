"""What can be set, and what is said about what cannot."""

import re
from pathlib import Path

import pytest

from belfry.settings import PREFIX, SECRETS, Settings, SettingsError

KEY = "9kTqSx2vB7mHjR4wLzYc8nFdGp5aVeUo"

ENOUGH = {
    "BELFRY_DATABASE_URL": "postgresql://localhost/belfry",
    "BELFRY_REDIS_URL": "redis://localhost",
    "BELFRY_SECRET_KEY": KEY,
}


def test_every_setting_is_explained_in_the_example_and_nothing_else_is() -> None:
    example = Path(__file__).parent.parent.joinpath(".env.example").read_text()

    named = set(re.findall(rf"^#?{PREFIX}(\w+)=", example, re.MULTILINE))

    assert named == {field.upper() for field in Settings.__struct_fields__}


def test_variables_become_values_of_the_right_type() -> None:
    settings = Settings.from_env(ENOUGH | {"BELFRY_PORT": "9000", "BELFRY_PAGE_CACHE": "false", "BELFRY_HOST": ""})

    assert (settings.port, settings.page_cache, settings.host) == (9000, False, "127.0.0.1")
    assert settings.pubsub_url == settings.redis_url


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"BELFRY_DATABASE_URL": ""}, "BELFRY_DATABASE_URL is not set"),
        ({"BELFRY_PORT": "http"}, "BELFRY_PORT: Expected `int`"),
        ({"BELFRY_SECRET_KEY": ""}, "BELFRY_SECRET_KEY is not set, nor is BELFRY_SECRET_KEY_FILE"),
        ({"BELFRY_SECRET_KEY": "short"}, "BELFRY_SECRET_KEY has 5 bytes; it signs tokens and needs at least 32. Make"),
        ({"BELFRY_SECRET_KEY": "ab" * 20}, "consists of 2 different characters"),
        ({"BELFRY_SECRET_KEY": "0123456789abcdef" * 2}, "goes on as the alphabet does"),
        ({"BELFRY_SECRET_KEY": "please-ChangeMe-0123456789-abcdefgh"}, "contains 'ChangeMe', as examples do"),
        ({"BELFRY_SECRET_KEY_OLD": "short"}, "BELFRY_SECRET_KEY_OLD has 5 bytes"),
        ({"BELFRY_SECRET_KEY_FILE": "/run/secrets/belfry"}, "BELFRY_SECRET_KEY_FILE are both set"),
        ({"BELFRY_SEND_SECONDS": "120"}, "must be below BELFRY_LEASE_SECONDS"),
        ({"BELFRY_UNCERTAIN": "maybe"}, "BELFRY_UNCERTAIN"),
    ],
)
def test_what_is_wrong_is_said_with_the_name_of_the_variable(change: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(said)):
        Settings.from_env(ENOUGH | change)


SECRET_FILES = [f"{PREFIX}{name.upper()}_FILE" for name in SECRETS]


def test_secrets_can_stand_in_files(tmp_path: Path) -> None:
    values = {name: f"postgresql://u:{KEY}@host/{number}" for number, name in enumerate(SECRET_FILES)}
    for name, value in values.items():
        (tmp_path / name).write_text(f"{value}\n")
    settings = Settings.from_env({name: str(tmp_path / name) for name in SECRET_FILES})

    assert [getattr(settings, name) for name in SECRETS] == list(values.values())


def test_every_setting_with_a_secret_can_stand_in_a_file() -> None:
    suspicious = re.compile(r"key|password|_url$")
    harmless = {"public_url", "login_failures_per_account"}

    assert {field for field in Settings.__struct_fields__ if suspicious.search(field)} - harmless == set(SECRETS)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read: No such file"),
        (b"", "must hold one line, the secret, and not 0"),
        (b"one\ntwo\n", "must hold one line, the secret, and not 2"),
        (b"\xff\xfe", "is not text"),
    ],
)
def test_a_file_without_a_secret_is_refused_without_being_shown(
    tmp_path: Path, content: bytes | None, said: str
) -> None:
    path = tmp_path / "key"
    if content is not None:
        path.write_bytes(content)
    without = {name: value for name, value in ENOUGH.items() if name != "BELFRY_SECRET_KEY"}
    with pytest.raises(SettingsError, match=f"BELFRY_SECRET_KEY_FILE: {re.escape(str(path))} {said}"):
        Settings.from_env(without | {"BELFRY_SECRET_KEY_FILE": str(path)})


def test_the_environment_wins_over_the_file_of_settings_also_where_that_names_another_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "key").write_text("x" + KEY)
    (tmp_path / ".env").write_text(f"BELFRY_SECRET_KEY_FILE={tmp_path}/key\n")
    monkeypatch.chdir(tmp_path)
    for name, value in ENOUGH.items():
        monkeypatch.setenv(name, value)
    assert Settings.from_env().secret_key == KEY

    monkeypatch.delenv("BELFRY_SECRET_KEY")
    assert Settings.from_env().secret_key == "x" + KEY
