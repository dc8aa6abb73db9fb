from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.up.witness import Said, passable_directory


@pytest.fixture
def said() -> Said:
    return Said()


@pytest.fixture
def room() -> Iterator[Path]:
    with passable_directory() as directory:
        yield directory
