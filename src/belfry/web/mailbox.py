"""The mail that `belfry up` caught instead of sending it. The routes exist only while the catcher does."""

import asyncio
from pathlib import Path

from litestar import Controller, get
from litestar.di import NamedDependency

from belfry.mail import caught
from belfry.mail.caught import CaughtMail
from belfry.settings import Settings
from belfry.web.problems import documented


class MailboxController(Controller):
    path = "/dev"
    tags = ["Development"]

    @get("/mail", responses=documented(401, 403), summary="The mail caught")
    async def mail(self, settings: NamedDependency[Settings]) -> list[CaughtMail]:
        """Newest first, for admins."""
        return await asyncio.to_thread(caught.caught, Path(settings.mail_catcher_dir))
