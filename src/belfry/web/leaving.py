"""Taking one's data along, and going."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import JSONBody
from litestar.response import Stream

from belfry.accounts import leaving
from belfry.accounts.passwords import Passwords
from belfry.accounts.proving import prove
from belfry.accounts.throttle import Throttle
from belfry.intake import fields
from belfry.intake.fields import Body
from belfry.realtime.announce import Announcer
from belfry.realtime.frames import SessionEnded
from belfry.settings import Settings
from belfry.web.auth import session_cookie
from belfry.web.problems import CHANGES, NEEDS_LOGIN, TAKES_JSON, documented
from db import Database
from db.models import Action
from db.queries import audit, exports
from db.queries.exports import Place
from db.queries.sessions import Principal

Part = dict[str, Any]
FILE = {"content-disposition": 'attachment; filename="belfry.json"', "cache-control": "no-store"}


class Leaving(Body, frozen=True, kw_only=True):
    password: fields.GivenPassword


class Export(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is kept about an account, but for passwords and tokens, of which there are only hashes."""

    exported_at: datetime
    account: Part
    notifications: list[Part]
    broadcasts: list[Part]
    sent: list[Part]
    emails: list[Part]
    schedules: list[Part]
    logins: list[Part]
    api_keys: list[Part]
    suppressions: list[Part]
    actions: list[Part]


class LeavingController(Controller):
    path = "/v1/me"
    tags = ["Accounts"]

    @get(
        "/export",
        responses={200: ResponseSpec(Export, description="One document, as a file", generate_examples=False)}
        | documented(*NEEDS_LOGIN, 403),
        summary="Everything about me",
    )
    async def export(self, me: NamedDependency[Principal], db: NamedDependency[Database]) -> Stream:
        """All that is kept about one, as one JSON document. It is written as it is read, however large."""
        async with db.statement() as tx:
            await audit.record(tx, Action.USER_EXPORTED, actor=me, subject=me.email)
        return Stream(_document(db, me.user_id), media_type="application/json", headers=FILE)

    @post(
        "/delete",
        status_code=204,
        responses=documented(*NEEDS_LOGIN, *TAKES_JSON, CHANGES, 409, 429),
        summary="Delete my account",
    )
    async def delete(
        self,
        data: JSONBody[Leaving],
        me: NamedDependency[Principal],
        db: NamedDependency[Database],
        passwords: NamedDependency[Passwords],
        throttle: NamedDependency[Throttle],
        announcer: NamedDependency[Announcer],
        settings: NamedDependency[Settings],
    ) -> Response[None]:
        """Delete one's account with all that is one's own: inbox, logins, API keys, and open streams.

        What one has sent stays with those who got it, without a sender. 409 for the last admin.
        """
        proven = await prove(db, passwords, throttle, me, data.password)
        ended = await leaving.leave(db, me, proven)
        announcer.tell([SessionEnded(*each) for each in ended])
        await leaving.remove(db, me.user_id)
        return Response(None, cookies=[session_cookie(settings, "", 0)])


async def _document(db: Database, user_id: int) -> AsyncIterator[bytes]:
    async with db.statement() as tx:
        account = await exports.account(tx, user_id)
    yield b'{"exported_at":%b,"account":%b' % (msgspec.json.encode(datetime.now(UTC)), account)
    for section in exports.SECTIONS:
        yield b',"%b":[' % section.encode()
        place: Place | None = Place()
        comma = b""
        while place is not None:
            async with db.statement() as tx:
                items, place = await exports.read(tx, section, user_id, place)
            if items:
                yield comma + b",".join(items)
                comma = b","
        yield b"]"
    yield b"}\n"
