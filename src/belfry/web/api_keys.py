"""API keys, and what a site that embeds Belfry does with one."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from litestar import Controller, Request, Response, delete, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from belfry.accounts import keys
from belfry.accounts.tokens import Tokens
from belfry.errors import NotFound
from belfry.intake import fields
from belfry.intake.fields import Body
from belfry.realtime.announce import Announcer
from belfry.realtime.frames import SessionEnded
from belfry.settings import Settings
from belfry.web import parameters
from belfry.web.auth import SECRET, recently, user_agent
from belfry.web.problems import CHANGES, NEEDS_LOGIN, TAKES_JSON, documented
from db import Database
from db.models import KeyScope
from db.queries import api_keys
from db.queries.api_keys import ApiKeyItem
from db.queries.sessions import Principal

Network = Annotated[str, Meta(min_length=1, max_length=50, examples=["192.0.2.0/24"])]


class NewApiKey(Body, frozen=True, kw_only=True):
    name: fields.Name
    scopes: Annotated[list[KeyScope], Meta(min_length=1, max_length=len(KeyScope))]
    networks: Annotated[list[Network], Meta(max_length=20, description="Good from these only; none: from anywhere")] = (
        msgspec.field(default_factory=list)
    )
    expires_at: fields.Moment | None = None


class ShownOnce(msgspec.Struct, frozen=True):
    """A key just made. `key` is for `Authorization: Bearer`, and cannot be shown again."""

    key: str
    id: int
    name: str
    scopes: list[KeyScope]
    networks: list[str]
    created_at: datetime
    expires_at: datetime | None


class ActingToken(msgspec.Struct, frozen=True):
    """For a page that shows a user's inbox: it reads, marks and streams as that user for `expires_in` seconds."""

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int
    user_id: int


class ApiKeyController(Controller):
    path = "/v1/api-keys"
    tags = ["API keys"]

    @get(responses=documented(*NEEDS_LOGIN, 403), summary="List my API keys")
    async def mine(self, me: NamedDependency[Principal], db: NamedDependency[Database]) -> list[ApiKeyItem]:
        """One's keys that hold, newest first, with their last use. Of the keys themselves only hashes are kept."""
        async with db.statement() as tx:
            return await api_keys.of_user(tx, me.user_id)

    @post(responses=documented(*NEEDS_LOGIN, *TAKES_JSON, CHANGES, 409), summary="Make an API key")
    async def make(
        self,
        data: JSONBody[NewApiKey],
        me: NamedDependency[Principal],
        db: NamedDependency[Database],
        settings: NamedDependency[Settings],
    ) -> Response[ShownOnce]:
        """Make a key for a program. It acts for its owner, within its scopes, and never beyond the owner's role.

        For a login that showed its password a short while ago: a key outlives it.
        """
        recently(me, settings)
        expires_at = None if data.expires_at is None else fields.utc("expires_at", data.expires_at)
        async with db.begin() as tx:
            key, made = await keys.create(
                tx, me, name=data.name, scopes=data.scopes, networks=data.networks, expires_at=expires_at
            )
        shown = {name: value for name, value in msgspec.structs.asdict(made).items() if name != "last_used_at"}
        return Response(ShownOnce(key=key, **shown), headers=SECRET)

    @delete(
        "/{key_id:int}",
        status_code=204,
        responses=documented(*NEEDS_LOGIN, CHANGES, 404),
        summary="Revoke an API key",
    )
    async def revoke(
        self,
        key_id: FromPath[int],
        me: NamedDependency[Principal],
        db: NamedDependency[Database],
        announcer: NamedDependency[Announcer],
    ) -> None:
        """End a key at once, and with it the tokens it issued and all their streams."""
        async with db.begin() as tx:
            ended = await keys.revoke(tx, me, parameters.storable(key_id, "API key"))
        announcer.tell([SessionEnded(user_id, session_id) for user_id, session_id in ended])


class ActingController(Controller):
    path = "/v1/users/{user:str}/token"
    tags = ["API keys"]

    @post(responses=documented(*NEEDS_LOGIN, 403, 404), summary="Act as somebody")
    async def issue(
        self,
        request: Request[Principal, None, State],
        user: FromPath[str],
        me: NamedDependency[Principal],
        db: NamedDependency[Database],
        tokens: NamedDependency[Tokens],
    ) -> Response[ActingToken]:
        """A token for a site's page that shows the inbox of one of its users, by id or e-mail address.

        It can read, mark and stream, and nothing else. For API keys of admins; never for an admin's inbox.
        """
        if "\0" in user or len(user) > fields.LONGEST_ADDRESS:
            raise NotFound("There is no such user.")
        whom: int | str = parameters.storable(int(user), "user") if user.isascii() and user.isdigit() else user
        async with db.begin() as tx:
            token, account = await keys.act_as(tx, me, tokens, whom=whom, user_agent=user_agent(request))
        return Response(ActingToken(token, "Bearer", tokens.seconds, account.id), headers=SECRET)
