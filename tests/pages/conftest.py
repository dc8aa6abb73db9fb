"""Bob's browser."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import BrowserContext

from tests.pages.browser import browser, log_in
from tests.people import Person
from tests.serving import Serving


@pytest.fixture
async def context(belfry: Serving, bob: Person) -> AsyncIterator[BrowserContext]:
    """Bob's browser: he is logged in."""
    async with browser() as context:
        await log_in(context, belfry.url, bob.email)
        yield context
