"""Who did what."""

from typing import Annotated

import msgspec
from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from belfry.web import parameters
from belfry.web.problems import NEEDS_LOGIN, documented
from db import Database
from db.models import Action
from db.queries import audit
from db.queries.audit import Entry


class AuditPage(msgspec.Struct, frozen=True):
    items: list[Entry]
    next_cursor: int | None


class AuditController(Controller):
    path = "/v1/audit"
    tags = ["Audit"]

    @get(responses=documented(*NEEDS_LOGIN, 403, 422), summary="The audit")
    async def list_page(
        self,
        db: NamedDependency[Database],
        action: Annotated[Action | None, QueryParameter(description="Only this one")] = None,
        cursor: parameters.Place = parameters.LAST,
        page: parameters.PageNumber = 1,
        page_size: parameters.PageSize = 10,
    ) -> AuditPage:
        """What was done and refused, newest first, for admins: broadcasts, schedules, jobs, logins, accounts."""
        async with db.statement() as tx:
            found = await audit.page(
                tx, action=action, before=cursor, offset=(page - 1) * page_size, limit=page_size + 1
            )
        return AuditPage(*parameters.cut(found, page_size))
