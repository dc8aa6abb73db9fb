"""Who there is, and what admins do about it."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from litestar import Controller, delete, get, patch
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import UNSET, UnsetType

from belfry.accounts import administration
from belfry.accounts.administration import NO_SUCH_USER
from belfry.errors import Forbidden, NotFound
from belfry.intake import fields
from belfry.intake.fields import Body
from belfry.realtime.announce import Announcer
from belfry.realtime.frames import SessionEnded
from belfry.settings import Settings
from belfry.web import parameters
from belfry.web.auth import recently
from belfry.web.problems import CHANGES, NEEDS_LOGIN, TAKES_JSON, documented
from db import Database
from db.models import Role
from db.queries import directory
from db.queries.directory import Listed
from db.queries.paging import Paging
from db.queries.sessions import Principal

State = Literal["enabled", "disabled"]


class UserItem(msgspec.Struct, frozen=True, kw_only=True):
    """A user. Senders are told what they need to pick a recipient, and only admins the rest.

    `last_seen_at` is of a login or an API key that still holds, exact to a minute.
    """

    id: int
    email: str
    display_name: str
    role: Role | UnsetType = UNSET
    created_at: datetime | UnsetType = UNSET
    email_verified_at: datetime | UnsetType | None = UNSET
    disabled_at: datetime | UnsetType | None = UNSET
    last_seen_at: datetime | UnsetType | None = UNSET


class UserPage(msgspec.Struct, frozen=True):
    items: list[UserItem]
    next_cursor: int | None


class UserChange(Body, frozen=True, kw_only=True):
    """What is left out stays."""

    role: Role | UnsetType = UNSET
    disabled: bool | UnsetType = UNSET


class UserController(Controller):
    path = "/v1/users"
    tags = ["Users"]

    @get(responses=documented(*NEEDS_LOGIN, 403, 422), summary="List users")
    async def list_page(
        self,
        me: NamedDependency[Principal],
        db: NamedDependency[Database],
        paging: NamedDependency[Paging],
        q: Annotated[
            str | None,
            QueryParameter(
                min_length=1, max_length=100, pattern=fields.STORABLE, description="Part of an address or a name"
            ),
        ] = None,
        role: Annotated[Role | None, QueryParameter(description="Only these; for admins")] = None,
        user_state: Annotated[State | None, QueryParameter(name="state", description="Only these; for admins")] = None,
    ) -> UserPage:
        """Newest first. For senders, to pick a recipient: who is enabled, by address and name; for admins all."""
        admin = me.role is Role.ADMIN
        if not admin and (role or user_state):
            raise Forbidden("Only admins can tell users apart by role and state.")
        async with db.statement() as tx:
            found = await directory.page(
                tx,
                paging,
                q=q,
                role=role,
                state=user_state if admin else "enabled",
            )
        shown, next_cursor = paging.cut(found)
        return UserPage([_in_full(each) if admin else _in_short(each) for each in shown], next_cursor)

    @get("/{user_id:int}", responses=documented(*NEEDS_LOGIN, 403, 404), summary="Look at a user")
    async def one(self, user_id: FromPath[int], db: NamedDependency[Database]) -> UserItem:
        """For admins."""
        async with db.statement() as tx:
            found = await directory.one(tx, parameters.storable(user_id, "user"))
        if found is None:
            raise NotFound(NO_SUCH_USER)
        return _in_full(found)

    @patch(
        "/{user_id:int}", responses=documented(*NEEDS_LOGIN, *TAKES_JSON, CHANGES, 404, 409), summary="Change a user"
    )
    async def change(
        self,
        user_id: FromPath[int],
        data: JSONBody[UserChange],
        me: NamedDependency[Principal],
        db: NamedDependency[Database],
        announcer: NamedDependency[Announcer],
        settings: NamedDependency[Settings],
    ) -> UserItem:
        """Give a user another role, disable or enable it; for admins who showed their password a short while ago.

        Disabling ends the user's logins, with all streams; API keys hold again when the user is enabled. Another role
        ends the streams only: they come back with it. 409 for the last admin, who stays one.
        """
        recently(me, settings)
        async with db.begin() as tx:
            changed = await administration.change(
                tx,
                parameters.storable(user_id, "user"),
                by=me,
                role=None if data.role is UNSET else data.role,
                disabled=None if data.disabled is UNSET else data.disabled,
            )
        announcer.tell([SessionEnded(*each) for each in changed.ended])
        return _in_full(changed.user)

    @delete(
        "/{user_id:int}/sessions",
        status_code=204,
        responses=documented(*NEEDS_LOGIN, CHANGES, 404),
        summary="Log a user out everywhere",
    )
    async def end_sessions(
        self,
        user_id: FromPath[int],
        me: NamedDependency[Principal],
        db: NamedDependency[Database],
        announcer: NamedDependency[Announcer],
    ) -> None:
        """End all logins of a user, with their streams; for admins. API keys stay."""
        async with db.begin() as tx:
            ended = await administration.end_sessions(tx, parameters.storable(user_id, "user"), by=me)
        announcer.tell([SessionEnded(*each) for each in ended])


def _in_short(user: Listed) -> UserItem:
    return UserItem(id=user.id, email=user.email, display_name=user.display_name)


def _in_full(user: Listed) -> UserItem:
    return UserItem(**msgspec.structs.asdict(user))
