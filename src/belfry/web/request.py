"""Requests whose bodies go through the one decoder."""

from typing import Any

from litestar import Request
from litestar.datastructures import State

from belfry.errors import Problem
from belfry.intake.decoding import decode
from db.queries.sessions import Principal


class UnsupportedMediaType(Problem):
    status = 415
    title = "Unsupported media type"


class Call(Request[Principal, None, State]):
    """A request whose body is decoded strictly: no coercion, no unknown fields, no text that cannot be stored.

    Litestar alone would parse JSON whatever the content type and coerce `"3"` to 3.
    """

    async def json(self) -> Any:
        if self.content_type[0] != "application/json":
            raise UnsupportedMediaType("The body must be JSON, sent with the content type application/json.")
        field = self.route_handler.parsed_data_field
        return decode(await self.body(), field.annotation if field else Any)
