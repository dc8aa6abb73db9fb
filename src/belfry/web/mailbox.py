"""The mail that `belfry up` caught instead of sending it. The routes exist only while the catcher does."""

import asyncio
from pathlib import Path

from litestar import Controller, get
from litestar.di import NamedDependency

from belfry.mail import caught
from belfry.mail.caught import CaughtMail
from belfry.settings import Settings
from belfry.web.given import must_be
from belfry.web.problems import documented
from db.models import Role
from db.queries.sessions import Principal


class MailboxController(Controller):
    path = "/dev"
    tags = ["Development"]

    @get("/mail", responses=documented(401, 403), summary="The mail caught")
    async def mail(self, me: NamedDependency[Principal], settings: NamedDependency[Settings]) -> list[CaughtMail]:
        """Newest first, for admins."""
        must_be(me, Role.ADMIN)
        return await asyncio.to_thread(caught.caught, Path(settings.mail_catcher_dir))
