"""Registering, logging in and out, and who one is."""

from typing import Annotated, Literal

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.datastructures import Cookie, State
from litestar.di import NamedDependency
from litestar.params import JSONBody

from belfry.accounts import login as logins
from belfry.accounts.passwords import Passwords
from belfry.accounts.tokens import Tokens
from belfry.realtime.announce import Announcer
from belfry.realtime.frames import SessionEnded
from belfry.settings import Settings
from belfry.web import fields
from belfry.web.fields import Body
from belfry.web.identify import cookie_name
from belfry.web.problems import CHANGES, NEEDS_LOGIN, TAKES_JSON, documented
from db import Database
from db.models import Role
from db.queries import sessions, users
from db.queries.sessions import Principal
from db.queries.users import Account

COOKIE_SECONDS = 400 * 24 * 3600  # the longest browsers keep one; how long it holds is the session's business


class NewAccount(Body, frozen=True, kw_only=True):
    email: fields.Email
    password: fields.Password
    display_name: fields.Name | None = None


class Credentials(Body, frozen=True, kw_only=True):
    email: fields.Email
    password: Annotated[str, msgspec.Meta(min_length=1, max_length=1_024)]


class Bearer(msgspec.Struct, frozen=True):
    """A token for `Authorization: Bearer`; `expires_in` is in seconds."""

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int


class Myself(msgspec.Struct, frozen=True):
    id: int
    email: str
    display_name: str
    role: Role
    time_zone: str
    language: str


class AuthController(Controller):
    path = "/v1"
    tags = ["Accounts"]

    @post("/auth/register", exclude_from_auth=True, responses=documented(*TAKES_JSON, 409, 503), summary="Register")
    async def register(
        self, data: JSONBody[NewAccount], db: NamedDependency[Database], passwords: NamedDependency[Passwords]
    ) -> Myself:
        """Make an account. It is a member: it can send to itself, and receive."""
        email = fields.address("email", data.email)
        account = await logins.register(
            db, passwords, email=email, password=data.password, display_name=data.display_name or ""
        )
        return _myself(account)

    @post(
        "/auth/login",
        status_code=200,
        exclude_from_auth=True,
        responses=documented(*TAKES_JSON, 401, 503),
        summary="Log in",
    )
    async def login(
        self,
        request: Request[None, None, State],
        data: JSONBody[Credentials],
        db: NamedDependency[Database],
        passwords: NamedDependency[Passwords],
        tokens: NamedDependency[Tokens],
        settings: NamedDependency[Settings],
    ) -> Response[Bearer]:
        """Get a token for programs, and as a cookie a session for browsers."""
        agent = "".join(filter(str.isprintable, request.headers.get("user-agent", "")))
        opened = await logins.login(
            db, passwords, tokens, settings, email=data.email, password=data.password, user_agent=agent
        )
        return Response(
            Bearer(opened.access_token, "Bearer", opened.expires_in),
            headers={"cache-control": "no-store"},
            cookies=[_cookie(settings, opened.cookie, COOKIE_SECONDS)],
        )

    @post("/auth/logout", status_code=204, responses=documented(*NEEDS_LOGIN, CHANGES), summary="Log out")
    async def logout(
        self,
        me: NamedDependency[Principal],
        db: NamedDependency[Database],
        announcer: NamedDependency[Announcer],
        settings: NamedDependency[Settings],
    ) -> Response[None]:
        """End this session: its token, its cookie, and its open streams."""
        async with db.begin() as tx:
            await sessions.close(tx, me.session_id)
        announcer.tell([SessionEnded(me.user_id, me.session_id)])
        return Response(None, cookies=[_cookie(settings, "", 0)])

    @get("/me", responses=documented(*NEEDS_LOGIN), summary="Who am I?")
    async def me(self, me: NamedDependency[Principal], db: NamedDependency[Database]) -> Myself:
        """The account that asks."""
        async with db.statement() as tx:
            account = await users.by_id(tx, me.user_id)
        assert account is not None  # the session that names it would be gone with it
        return _myself(account)


def _myself(account: Account) -> Myself:
    return Myself(account.id, account.email, account.display_name, account.role, account.time_zone, account.language)


def _cookie(settings: Settings, value: str, seconds: int) -> Cookie:
    return Cookie(
        key=cookie_name(settings),
        value=value,
        path="/",
        max_age=seconds,
        httponly=True,
        secure=settings.secure,
        samesite="lax",
    )
