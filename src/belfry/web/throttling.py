"""Limits on requests. As middleware of a route each takes its turn before the body is read."""

from collections.abc import Awaitable, Callable
from typing import Any

from litestar import Request
from litestar.datastructures import MutableScopeHeaders, State
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from belfry.accounts.throttle import Headers
from belfry.web.given import Given
from belfry.web.identify import client_address
from db.models import MailKind, Role
from db.queries import users

__all__ = ["limit_mails", "limit_registrations", "limit_sends"]


def limit_registrations(app: ASGIApp) -> ASGIApp:
    """Registrations from one address."""

    async def turn(scope: Scope) -> Headers:
        return await _given(scope).throttle.register(client_address(scope))

    return _limited(app, turn)


def limit_sends(app: ASGIApp) -> ASGIApp:
    """What a member sends, by whatever login or API key; senders and admins have no limit."""

    async def turn(scope: Scope) -> Headers:
        me = scope["user"]
        return await _given(scope).throttle.send(me.user_id) if me.role is Role.MEMBER else {}

    return _limited(app, turn)


async def limit_mails(request: Request[Any, None, State], kind: MailKind, email: str) -> Headers:
    """Take a turn to have a mail of a kind sent to an address. Raises `TooMany`."""
    given = _given(request.scope)
    async with given.db.statement() as tx:
        recipient = await users.folded(tx, email)
    return await given.throttle.mail(kind, recipient, client_address(request.scope))


def _limited(app: ASGIApp, turn: Callable[[Scope], Awaitable[Headers]]) -> ASGIApp:
    async def limited(scope: Scope, receive: Receive, send: Send) -> None:
        told = await turn(scope)

        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableScopeHeaders.from_message(message).update(told)
            await send(message)

        await app(scope, receive, tell if told else send)

    return limited


def _given(scope: Scope) -> Given:
    given: Given = scope["litestar_app"].state.given
    return given
