"""The web service: what it is made of, put together."""

from litestar import Litestar, Router
from litestar.datastructures import State
from litestar.middleware import DefineMiddleware
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme

from belfry.settings import Settings
from belfry.web import problems
from belfry.web.alerts import AlertController
from belfry.web.auth import AuthController
from belfry.web.broadcasts import BroadcastController
from belfry.web.given import Given
from belfry.web.health import HealthController
from belfry.web.identify import Identify, cookie_name
from belfry.web.mailbox import MailboxController
from belfry.web.marks import MarkController
from belfry.web.notifications import NotificationController
from belfry.web.request import Call
from belfry.web.stream import stream

LARGEST_BODY = 64 * 1024


def create_app(settings: Settings) -> Litestar:
    """Put the service together. Nothing is connected before it starts."""
    given = Given.make(settings)
    return Litestar(
        route_handlers=[
            AuthController,
            NotificationController,
            MarkController,
            BroadcastController,
            AlertController,
            HealthController,
            stream,
            *([MailboxController] if settings.mail_catcher_dir else []),
        ],
        dependencies=given.dependencies(),
        exception_handlers=problems.HANDLERS,
        lifespan=[given.running],
        logging_config=None,
        middleware=[DefineMiddleware(Identify, db=given.db, tokens=given.tokens, settings=settings)],
        openapi_config=_openapi(settings),
        request_class=Call,
        request_max_body_size=LARGEST_BODY,
        state=State({"given": given}),
    )


def _openapi(settings: Settings) -> OpenAPIConfig:
    return OpenAPIConfig(
        title="Belfry",
        version="1",
        description="A self-hosted notification centre. Live events are at `GET /v1/stream` (Server-Sent Events).",
        openapi_router=Router(path="/schema", route_handlers=[], opt={"exclude_from_auth": True}),
        render_plugins=[JsonRenderPlugin(path=["/", "/openapi.json"])],
        components=Components(
            security_schemes={
                "token": SecurityScheme(type="http", scheme="bearer", bearer_format="JWT"),
                "cookie": SecurityScheme(type="apiKey", name=cookie_name(settings), security_scheme_in="cookie"),
            }
        ),
        security=[{"token": []}, {"cookie": []}],
    )
