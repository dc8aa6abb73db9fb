"""Who is asking: every route needs a login, unless it says `exclude_from_auth`."""

from urllib.parse import urlsplit

from litestar.connection import ASGIConnection
from litestar.middleware.authentication import AbstractAuthenticationMiddleware, AuthenticationResult
from litestar.types import ASGIApp

from belfry.accounts.principals import Principals
from belfry.errors import Forbidden, Unauthenticated
from belfry.settings import Settings

TAKES_TICKET = "takes_ticket"  # a route's `opt`: it may be opened with `?ticket=`
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
LONGEST_TOKEN = 4_096


def cookie_name(settings: Settings) -> str:
    """With https the prefix binds the cookie to this host (RFC 6265bis, section 4.1.3.2)."""
    return "__Host-belfry" if settings.secure else "belfry"


class Identify(AbstractAuthenticationMiddleware):
    """Programs send `Authorization: Bearer <token>`; browsers send their session cookie.

    Where a route takes tickets, one that is shown decides alone: a page with a bad one must not get the stream of
    whoever happens to be logged in.
    """

    def __init__(self, app: ASGIApp, *, principals: Principals, settings: Settings) -> None:
        super().__init__(app)
        self._principals = principals
        self._settings = settings

    async def authenticate_request(self, connection: ASGIConnection) -> AuthenticationResult:  # type: ignore[type-arg]
        if connection.scope["route_handler"].opt.get(TAKES_TICKET) and "ticket" in connection.query_params:
            principal = await self._principals.by_ticket(connection.query_params["ticket"])
            return AuthenticationResult(user=principal, auth=None)
        authorization = connection.headers.get("authorization")
        if authorization is not None:
            scheme, _, token = authorization.partition(" ")
            if scheme.lower() != "bearer" or not 0 < len(token) <= LONGEST_TOKEN:
                raise Unauthenticated("Expected the header `Authorization: Bearer <token>`.")
            principal = await self._principals.by_token(token.strip())
        elif cookie := connection.cookies.get(cookie_name(self._settings)):
            self._same_origin(connection)
            principal = await self._principals.by_cookie(cookie)
        else:
            raise Unauthenticated("This needs a login: a bearer token or a session cookie.")
        return AuthenticationResult(user=principal, auth=None)

    def _same_origin(self, connection: ASGIConnection) -> None:  # type: ignore[type-arg]
        """Browsers send cookies along with requests that other sites make; those may not change anything.

        Raises:
            Forbidden: a changing request that does not show it comes from our own pages.
        """
        if connection.scope.get("method") in SAFE_METHODS:
            return
        if (site := connection.headers.get("sec-fetch-site")) is not None:
            same = site == "same-origin"
        else:
            _, _, origin = connection.headers.get("origin", "").partition("://")
            here = (connection.headers.get("host"), urlsplit(self._settings.public_url).netloc)
            same = bool(origin) and origin in here
        if not same:
            raise Forbidden("A request with a session cookie may change things only from Belfry's own pages.")
