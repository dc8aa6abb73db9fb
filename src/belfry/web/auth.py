"""Logging in and out, and staying logged in."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec
from litestar import Controller, Request, Response, post
from litestar.datastructures import Cookie, State
from litestar.di import NamedDependency
from litestar.params import JSONBody

from belfry.accounts import login as logins
from belfry.accounts import proving, refreshing
from belfry.accounts.login import Browser
from belfry.accounts.passwords import Passwords
from belfry.accounts.refreshing import Reused
from belfry.accounts.throttle import Throttle
from belfry.accounts.tokens import Tokens
from belfry.errors import Unauthenticated, Unconfirmed
from belfry.intake import fields
from belfry.intake.fields import Body
from belfry.realtime.announce import Announcer
from belfry.realtime.frames import SessionEnded
from belfry.settings import Settings
from belfry.web.identify import client_address, cookie_name
from belfry.web.problems import CHANGES, NEEDS_LOGIN, TAKES_JSON, documented
from db import Database
from db.models import Action
from db.queries import audit, sessions
from db.queries.sessions import Principal

COOKIE_SECONDS = 400 * 24 * 3600  # the longest browsers keep one; how long it holds is the session's business
SECRET = {"cache-control": "no-store"}


class Credentials(Body, frozen=True, kw_only=True):
    email: fields.Email
    password: fields.GivenPassword


class Confirmation(Body, frozen=True, kw_only=True):
    password: fields.GivenPassword


class Refresh(Body, frozen=True, kw_only=True):
    refresh_token: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]


class Bearer(msgspec.Struct, frozen=True):
    """`access_token` is for `Authorization: Bearer`, and holds for `expires_in` seconds.

    `refresh_token` is good for one new pair. Using it a second time ends the login, except within ten seconds and
    before the new one is used: then the answer is the same again.
    """

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int
    refresh_token: str


class AuthController(Controller):
    path = "/v1/auth"
    tags = ["Accounts"]

    @post(
        "/login",
        status_code=200,
        exclude_from_auth=True,
        responses=documented(*TAKES_JSON, 401, 429, 503),
        summary="Log in",
    )
    async def login(
        self,
        request: Request[None, None, State],
        data: JSONBody[Credentials],
        db: NamedDependency[Database],
        passwords: NamedDependency[Passwords],
        tokens: NamedDependency[Tokens],
        throttle: NamedDependency[Throttle],
        settings: NamedDependency[Settings],
        announcer: NamedDependency[Announcer],
    ) -> Response[Bearer]:
        """Get tokens for programs, and as a cookie a session for browsers. Wrong passwords are limited.

        Whom the guesses of others keep out, the link of `/v1/auth/password/forgot` lets in. A session whose
        cookie comes along ends; of more than a hundred, the one used longest ago does.
        """
        browser = Browser(
            address=client_address(request.scope),
            device=request.cookies.get(device_cookie_name(settings)),
            cookie=request.cookies.get(cookie_name(settings)),
            user_agent=user_agent(request),
        )
        opened = await logins.login(
            db,
            passwords,
            tokens,
            settings,
            throttle=throttle,
            email=data.email,
            password=data.password,
            browser=browser,
        )
        announcer.tell([SessionEnded(*each) for each in opened.ended])
        login = opened.login
        return Response(
            Bearer(login.access_token, "Bearer", tokens.seconds, login.refresh_token),
            headers=SECRET,
            cookies=[
                session_cookie(settings, login.cookie, COOKIE_SECONDS),
                device_cookie(settings, throttle, opened.user_id),
            ],
        )

    @post(
        "/refresh",
        status_code=200,
        exclude_from_auth=True,
        responses=documented(*TAKES_JSON, 401, 503),
        summary="Stay logged in",
    )
    async def refresh(
        self,
        data: JSONBody[Refresh],
        db: NamedDependency[Database],
        tokens: NamedDependency[Tokens],
        settings: NamedDependency[Settings],
        announcer: NamedDependency[Announcer],
    ) -> Response[Bearer]:
        """Get a new pair of tokens for a refresh token. A token that was used before ends its login everywhere."""
        refreshed = await refreshing.refresh(db, tokens, settings, data.refresh_token)
        if isinstance(refreshed, Reused):
            announcer.tell([SessionEnded(refreshed.user_id, refreshed.session_id)])
            raise Unauthenticated(
                "The refresh token had been used before, so its login was ended. Please log in again."
            )
        return Response(
            Bearer(refreshed.access_token, "Bearer", tokens.seconds, refreshed.refresh_token), headers=SECRET
        )

    @post("/logout", status_code=204, responses=documented(*NEEDS_LOGIN, CHANGES), summary="Log out")
    async def logout(
        self,
        me: NamedDependency[Principal],
        db: NamedDependency[Database],
        announcer: NamedDependency[Announcer],
        settings: NamedDependency[Settings],
    ) -> Response[None]:
        """End this session: its tokens, its cookie, and its open streams."""
        async with db.begin() as tx:
            if await sessions.close(tx, me.session_id, user_id=me.user_id):
                await audit.record(tx, Action.LOGGED_OUT, actor=me, subject=me.email, session=me.session_id)
        announcer.tell([SessionEnded(me.user_id, me.session_id)])
        return Response(None, cookies=[session_cookie(settings, "", 0)])

    @post(
        "/confirm",
        status_code=204,
        responses=documented(*NEEDS_LOGIN, *TAKES_JSON, CHANGES, 429),
        summary="Show that it is still me",
    )
    async def confirm(
        self,
        request: Request[Principal, None, State],
        data: JSONBody[Confirmation],
        me: NamedDependency[Principal],
        db: NamedDependency[Database],
        passwords: NamedDependency[Passwords],
        throttle: NamedDependency[Throttle],
        settings: NamedDependency[Settings],
    ) -> Response[None]:
        """Give the password once more, for what is not done on a login's word alone. A browser gets a new cookie."""
        by_cookie = "authorization" not in request.headers
        cookie = await proving.confirm(db, passwords, throttle, me, data.password, by_cookie=by_cookie)
        return Response(None, cookies=[session_cookie(settings, cookie, COOKIE_SECONDS)] if cookie else [])


def recently(me: Principal, settings: Settings) -> None:
    """Raises `Unconfirmed` unless a login has shown its password a short while ago."""
    if datetime.now(UTC) - me.authenticated_at > timedelta(seconds=settings.confirmed_seconds):
        raise Unconfirmed("Give your password once more: POST /v1/auth/confirm.")


def user_agent(request: Request[Any, None, State]) -> str:
    return "".join(filter(str.isprintable, request.headers.get("user-agent", "")))[:255]


def session_cookie(settings: Settings, value: str, seconds: int) -> Cookie:
    return _cookie(settings, cookie_name(settings), value, seconds)


def device_cookie(settings: Settings, throttle: Throttle, user_id: int) -> Cookie:
    """What tells that a browser's user has been let in before, or reads the mail of the account; it opens nothing."""
    return _cookie(settings, device_cookie_name(settings), throttle.device(user_id), COOKIE_SECONDS)


def device_cookie_name(settings: Settings) -> str:
    return f"{cookie_name(settings)}-device"


def _cookie(settings: Settings, name: str, value: str, seconds: int) -> Cookie:
    return Cookie(
        key=name,
        value=value,
        path="/",
        max_age=seconds,
        httponly=True,
        secure=settings.secure,
        samesite="lax",
    )
