"""What can be set, and what is said about what cannot."""

import re
from pathlib import Path

import pytest

from belfry.settings import PREFIX, Settings, SettingsError

ENOUGH = {
    "BELFRY_DATABASE_URL": "postgresql://localhost/belfry",
    "BELFRY_REDIS_URL": "redis://localhost",
    "BELFRY_SECRET_KEY": "k" * 32,
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
        ({"BELFRY_SECRET_KEY": "short"}, "needs at least 32"),
        ({"BELFRY_SEND_SECONDS": "120"}, "must be below BELFRY_LEASE_SECONDS"),
        ({"BELFRY_UNCERTAIN": "maybe"}, "BELFRY_UNCERTAIN"),
    ],
)
def test_what_is_wrong_is_said_with_the_name_of_the_variable(change: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(said)):
        Settings.from_env(ENOUGH | change)
