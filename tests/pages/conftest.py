"""Bob's browser."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import BrowserContext

from tests.pages.browser import browser, chromium, log_in
from tests.people import Person
from tests.serving import Serving


@pytest.fixture(scope="session", autouse=True)
async def running() -> AsyncIterator[None]:
    async with chromium():
        yield


@pytest.fixture
async def context(belfry: Serving, bob: Person) -> AsyncIterator[BrowserContext]:
    """Bob's browser: he is logged in."""
    async with browser() as context:
        await log_in(context, belfry.url, bob.email)
        yield context
