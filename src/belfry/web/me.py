"""Who one is, and what one may change about that."""

from typing import Annotated, Literal

import msgspec
from litestar import Controller, get, patch, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import UNSET, Meta, UnsetType

from belfry.accounts import login
from belfry.accounts.passwords import Passwords
from belfry.accounts.throttle import Throttle
from belfry.intake import fields
from belfry.intake.fields import Body
from belfry.realtime.announce import Announcer
from belfry.realtime.frames import SessionEnded
from belfry.web.problems import CHANGES, NEEDS_LOGIN, TAKES_JSON, documented
from db import Database
from db.models import Role
from db.queries import users
from db.queries.sessions import Principal
from db.queries.users import Account

Language = Annotated[Literal["en", "zh-Hans"], Meta(description="Of mails: those that they are written in")]


class Myself(msgspec.Struct, frozen=True):
    id: int
    email: str
    display_name: str
    role: Role
    time_zone: str
    language: str


class MyChange(Body, frozen=True, kw_only=True):
    """What is left out stays."""

    display_name: fields.Name | UnsetType = UNSET
    language: Language | UnsetType = UNSET
    time_zone: fields.TimeZone | UnsetType = UNSET


class NewPassword(Body, frozen=True, kw_only=True):
    current: fields.GivenPassword
    new: fields.Password


class MeController(Controller):
    path = "/v1/me"
    tags = ["Accounts"]

    @get(responses=documented(*NEEDS_LOGIN, 403), summary="Who am I?")
    async def me(self, me: NamedDependency[Principal], db: NamedDependency[Database]) -> Myself:
        """The account that asks."""
        async with db.statement() as tx:
            account = await users.by_id(tx, me.user_id)
        assert account is not None  # the session that names it would be gone with it
        return myself(account)

    @patch(responses=documented(*NEEDS_LOGIN, *TAKES_JSON, CHANGES), summary="Change my settings")
    async def change(
        self, data: JSONBody[MyChange], me: NamedDependency[Principal], db: NamedDependency[Database]
    ) -> Myself:
        """Change the name others see, and the language and the clock of mails."""
        if data.time_zone is not UNSET:
            fields.known_time_zone("time_zone", data.time_zone)
        given = {name: value for name, value in msgspec.structs.asdict(data).items() if value is not UNSET}
        async with db.begin() as tx:
            account = await users.change(tx, me.user_id, **given)
        return myself(account)

    @post(
        "/password",
        status_code=204,
        responses=documented(*NEEDS_LOGIN, *TAKES_JSON, CHANGES, 429),
        summary="Change my password",
    )
    async def change_password(
        self,
        data: JSONBody[NewPassword],
        me: NamedDependency[Principal],
        db: NamedDependency[Database],
        passwords: NamedDependency[Passwords],
        throttle: NamedDependency[Throttle],
        announcer: NamedDependency[Announcer],
    ) -> None:
        """Set a new password. All other logins end, with their streams; API keys stay."""
        ended = await login.change_password(db, passwords, throttle, me, current=data.current, new=data.new)
        announcer.tell([SessionEnded(me.user_id, session_id) for session_id in ended])


def myself(account: Account) -> Myself:
    return Myself(account.id, account.email, account.display_name, account.role, account.time_zone, account.language)
