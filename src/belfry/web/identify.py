"""Who is asking, and whether this is for them: every route needs a login, unless it says `exclude_from_auth`."""

import ipaddress
from urllib.parse import urlsplit

from litestar.connection import ASGIConnection
from litestar.handlers import HTTPRouteHandler
from litestar.middleware.authentication import AbstractAuthenticationMiddleware, AuthenticationResult
from litestar.types import ASGIApp, Scope

from belfry import log
from belfry.accounts.principals import Address, Principals
from belfry.accounts.tokens import KEY_PREFIX
from belfry.errors import BadInput, FieldError, Forbidden, Unauthenticated
from belfry.settings import Settings
from belfry.web.access import admit
from db.queries.sessions import Principal

TAKES_TICKET = "takes_ticket"  # a route's `opt`: it may be opened with `?ticket=`
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
LONGEST_TOKEN = 4_096


def cookie_name(settings: Settings) -> str:
    """With https the prefix binds the cookie to this host (RFC 6265bis, section 4.1.3.2)."""
    return "__Host-belfry" if settings.secure else "belfry"


def client_address(scope: Scope) -> Address | None:
    """Where a request comes from, as far as is known. What proxies say of it counts only where they are trusted."""
    client = scope.get("client")
    try:
        address = ipaddress.ip_address(client[0] if client else "")
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _refuse_nul(connection: ASGIConnection) -> None:  # type: ignore[type-arg]
    """In a body the decoder refuses it. Raises `BadInput` where a parameter holds what PostgreSQL takes in no text."""
    for name, value in connection.query_params.multi_items():
        if "\0" in value:
            raise BadInput(FieldError(name, "contains the character U+0000, which cannot be stored"))


class Identify(AbstractAuthenticationMiddleware):
    """Programs send `Authorization: Bearer <token or API key>`; browsers send their session cookie.

    Where a route takes tickets, one that is shown decides alone: a page with a bad one must not get the stream of
    whoever happens to be logged in.
    """

    def __init__(self, app: ASGIApp, *, principals: Principals, settings: Settings) -> None:
        super().__init__(app)
        self._principals = principals
        self._settings = settings

    async def authenticate_request(self, connection: ASGIConnection) -> AuthenticationResult:  # type: ignore[type-arg]
        principal = await self._principal(connection)
        log.about(user_id=principal.user_id)
        scope = connection.scope
        # a raw ASGI route sees every method, and says itself which it has
        method = scope.get("method") if isinstance(scope["route_handler"], HTTPRouteHandler) else "GET"
        admit(principal, str(method), scope["path_template"])
        if b"%00" in scope["query_string"]:
            _refuse_nul(connection)
        return AuthenticationResult(user=principal, auth=None)

    async def _principal(self, connection: ASGIConnection) -> Principal:  # type: ignore[type-arg]
        takes_ticket = connection.scope["query_string"] and connection.scope["route_handler"].opt.get(TAKES_TICKET)
        if takes_ticket and (ticket := connection.query_params.get("ticket")) is not None:
            return await self._principals.by_ticket(ticket)
        authorization = connection.headers.get("authorization")
        if authorization is not None:
            scheme, _, token = authorization.partition(" ")
            if scheme.lower() != "bearer" or not 0 < len(token) <= LONGEST_TOKEN:
                raise Unauthenticated("Expected the header `Authorization: Bearer <token>`.")
            token = token.strip()
            if token.startswith(KEY_PREFIX):
                return await self._principals.by_key(token, client_address(connection.scope))
            return await self._principals.by_token(token)
        if cookie := connection.cookies.get(cookie_name(self._settings)):
            self._same_origin(connection)
            return await self._principals.by_cookie(cookie)
        raise Unauthenticated("This needs a login: a bearer token or a session cookie.")

    def _same_origin(self, connection: ASGIConnection) -> None:  # type: ignore[type-arg]
        """Browsers send cookies along with requests that pages of others make; those may not do anything.

        Without these headers reading is let through - an old browser shows its answer to nobody else - but changing is
        not. With them a link from elsewhere may still lead here.

        Raises:
            Forbidden: it does not come from our own pages, or changes something and does not show that it does.
        """
        safe = connection.scope.get("method") in SAFE_METHODS
        if (site := connection.headers.get("sec-fetch-site")) is not None:
            led_here = safe and (site == "none" or connection.headers.get("sec-fetch-mode") == "navigate")
            same = site == "same-origin" or led_here
        elif safe:
            same = True
        else:
            _, _, origin = connection.headers.get("origin", "").partition("://")
            here = (connection.headers.get("host"), urlsplit(self._settings.public_url).netloc)
            same = bool(origin) and origin in here
        if not same:
            raise Forbidden("A request with a session cookie is good only from Belfry's own pages.")
