"""The mail that `belfry up` caught instead of sending it. The routes exist only while the catcher does."""

import asyncio
from pathlib import Path
from typing import Annotated

from litestar import Controller, MediaType, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from belfry.errors import NotFound
from belfry.mail import caught
from belfry.mail.caught import CaughtMail
from belfry.settings import Settings
from belfry.web.problems import NEEDS_LOGIN, documented

MOST = 1_000
# Whoever wrote a mail may have written anything: it may be looked at, in a frame of ours, and do and load nothing.
HARMLESS = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


class MailboxController(Controller):
    path = "/dev/mail"
    tags = ["Development"]

    @get(responses=documented(*NEEDS_LOGIN, 403, 422), summary="The mail caught")
    async def mail(
        self,
        settings: NamedDependency[Settings],
        limit: Annotated[int, QueryParameter(ge=1, le=MOST, description="So many of the newest")] = MOST,
    ) -> list[CaughtMail]:
        """Newest first, for admins."""
        return await asyncio.to_thread(caught.caught, Path(settings.mail_catcher_dir), limit=limit)

    # Both are for the application's own page: what is not in the table of access is for admins.

    @get("/{mail_id:str}/page", include_in_schema=False)
    async def page(self, mail_id: FromPath[str], settings: NamedDependency[Settings]) -> Response[str]:
        """A mail's HTML, as its recipient sees it."""
        mail = await _source(settings, mail_id)
        return Response(caught.page(mail), media_type=MediaType.HTML, headers=HARMLESS)

    @get("/{mail_id:str}/source", include_in_schema=False)
    async def source(self, mail_id: FromPath[str], settings: NamedDependency[Settings]) -> Response[str]:
        """A mail as it was handed in, with its headers."""
        mail = await _source(settings, mail_id)
        return Response(mail.decode(errors="replace"), media_type=MediaType.TEXT, headers=HARMLESS)


async def _source(settings: Settings, mail_id: str) -> bytes:
    found = await asyncio.to_thread(caught.source, Path(settings.mail_catcher_dir), mail_id)
    if found is None:
        raise NotFound("There is no such mail; the oldest are removed as new ones come.")
    return found
