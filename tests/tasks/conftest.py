from collections.abc import AsyncIterator

import pytest

from belfry.settings import Settings
from db import Database
from tasks.context import Context, open_context


@pytest.fixture
async def context(settings: Settings, db: Database) -> AsyncIterator[Context]:
    async with open_context(settings) as context:
        yield context
