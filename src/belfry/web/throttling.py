"""Limits on requests, as middleware of the routes they are for: each takes its turn before its body is read."""

from collections.abc import Awaitable, Callable

from litestar.datastructures import MutableScopeHeaders
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from belfry.web.given import Given
from belfry.web.identify import client_address
from db.models import Role

__all__ = ["limit_registrations", "limit_sends"]


def limit_registrations(app: ASGIApp) -> ASGIApp:
    """Registrations from one address."""

    async def turn(scope: Scope) -> dict[str, str]:
        return await _given(scope).throttle.register(client_address(scope))

    return _limited(app, turn)


def limit_sends(app: ASGIApp) -> ASGIApp:
    """What a member sends; senders, admins and API keys have no limit."""

    async def turn(scope: Scope) -> dict[str, str]:
        me = scope["user"]
        free = me.role is not Role.MEMBER or me.key is not None
        return {} if free else await _given(scope).throttle.send(me.user_id)

    return _limited(app, turn)


def _limited(app: ASGIApp, turn: Callable[[Scope], Awaitable[dict[str, str]]]) -> ASGIApp:
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
