"""Addresses that get no mail, for admins."""

from typing import Annotated

import msgspec
from litestar import Controller, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta

from belfry.errors import Conflict, NotFound
from belfry.intake import fields
from belfry.intake.fields import Body
from belfry.web import parameters
from belfry.web.problems import CHANGES, NEEDS_LOGIN, TAKES_JSON, documented
from db import Database
from db.models import Scope
from db.queries import suppressions
from db.queries.paging import Paging
from db.queries.suppressions import Suppression


class NewSuppression(Body, frozen=True, kw_only=True):
    address: fields.Email
    scope: Annotated[Scope, Meta(description="`all` mail, or `broadcasts` only")] = Scope.ALL
    detail: Annotated[str, Meta(max_length=500, pattern=fields.LINES, description="Why, for other admins")] = ""


class SuppressionPage(msgspec.Struct, frozen=True):
    items: list[Suppression]
    next_cursor: int | None


class SuppressionController(Controller):
    path = "/v1/suppressions"
    tags = ["Suppressions"]

    @get(responses=documented(*NEEDS_LOGIN, 403, 422), summary="List suppressed addresses")
    async def list_page(
        self,
        db: NamedDependency[Database],
        paging: NamedDependency[Paging],
        address: Annotated[
            str | None, QueryParameter(max_length=254, pattern=fields.STORABLE, description="Only of this address")
        ] = None,
    ) -> SuppressionPage:
        """Which addresses get no mail, or no broadcasts, and why; newest first."""
        async with db.statement() as tx:
            found = await suppressions.page(tx, paging, address=address)
        return SuppressionPage(*paging.cut(found))

    @post(responses=documented(*NEEDS_LOGIN, *TAKES_JSON, CHANGES, 409), summary="Suppress an address")
    async def add(self, data: JSONBody[NewSuppression], db: NamedDependency[Database]) -> Suppression:
        """Send nothing more to an address. What waits to be sent to it becomes `suppressed`."""
        address = fields.address("address", data.address)
        async with db.begin() as tx:
            added = await suppressions.add(tx, address=address, scope=data.scope, detail=data.detail)
        if added is None:
            raise Conflict("The address is suppressed already.")
        return added

    @delete(
        "/{suppression_id:int}",
        status_code=204,
        responses=documented(*NEEDS_LOGIN, CHANGES, 404),
        summary="Lift a suppression",
    )
    async def lift(self, suppression_id: FromPath[int], db: NamedDependency[Database]) -> None:
        """Send to the address again. What was suppressed meanwhile stays so."""
        async with db.begin() as tx:
            lifted = await suppressions.lift(tx, parameters.storable(suppression_id, "suppression"))
        if not lifted:
            raise NotFound("There is no such suppression.")
