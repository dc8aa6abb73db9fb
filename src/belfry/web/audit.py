"""Who did what."""

from typing import Annotated

import msgspec
from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from belfry.web.languages import retold, said
from belfry.web.problems import NEEDS_LOGIN, documented
from db import Database
from db.models import Action
from db.queries import audit
from db.queries.audit import Entry
from db.queries.paging import Paging


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
        paging: NamedDependency[Paging],
        language: NamedDependency[str],
        action: Annotated[Action | None, QueryParameter(description="Only this one")] = None,
    ) -> AuditPage:
        """What was done and refused, newest first, for admins: broadcasts, schedules, jobs, logins, accounts."""
        async with db.statement() as tx:
            found = await audit.page(tx, paging, action=action)
        return AuditPage(*paging.cut([_told(entry, language) for entry in found]))


def _told(entry: Entry, language: str) -> Entry:
    """Who is no account of ours, and reasons, are told in words of ours; the rest is names and values."""
    reason = entry.detail.get("reason")
    detail = entry.detail | {"reason": said(reason, language)} if isinstance(reason, str) else entry.detail
    return retold(msgspec.structs.replace(entry, detail=detail), language, "actor")
