"""Reading the settings in a command: what is wrong with them is said in one line, without a traceback."""

import sys

from belfry.settings import Settings, SettingsError


def read_settings(**given: object) -> Settings:
    """The settings of the environment; arguments that are not None win."""
    try:
        return Settings.from_env(None, **{name: value for name, value in given.items() if value is not None})
    except SettingsError as error:
        sys.exit(str(error))
