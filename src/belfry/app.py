"""The web service: what it is made of, put together."""

from litestar import Litestar
from litestar.datastructures import State
from litestar.middleware import DefineMiddleware

from belfry.settings import Settings
from belfry.web import headers, methods, problems
from belfry.web.alerts import AlertController
from belfry.web.api_keys import ActingController, ApiKeyController
from belfry.web.audit import AuditController
from belfry.web.auth import AuthController
from belfry.web.broadcasts import BroadcastController
from belfry.web.control import ControlController
from belfry.web.cors import Cors
from belfry.web.deliveries import DeliveryController
from belfry.web.document import openapi_config
from belfry.web.forgotten import ForgottenController
from belfry.web.given import Given
from belfry.web.health import HealthController
from belfry.web.identify import Identify
from belfry.web.invitations import InvitationController
from belfry.web.leaving import LeavingController
from belfry.web.mailbox import MailboxController
from belfry.web.marks import MarkController
from belfry.web.me import MeController
from belfry.web.metrics import MetricsController
from belfry.web.notifications import NotificationController
from belfry.web.pages import PageController
from belfry.web.parameters import PAGING
from belfry.web.presence import PresenceController
from belfry.web.queue import QueueController
from belfry.web.registering import RegisteringController
from belfry.web.request import Call
from belfry.web.requests import Requests
from belfry.web.schedules import ScheduleController
from belfry.web.sessions import SessionController
from belfry.web.stream import stream
from belfry.web.suppressions import SuppressionController
from belfry.web.tickets import TicketController
from belfry.web.unsubscribe import UnsubscribeController
from belfry.web.users import UserController

LARGEST_BODY = 64 * 1024


def create_app(settings: Settings) -> Litestar:
    """Put the service together. Nothing is connected before it starts."""
    given = Given.make(settings)
    app = Litestar(
        route_handlers=[
            AuthController,
            RegisteringController,
            ForgottenController,
            MeController,
            LeavingController,
            SessionController,
            ApiKeyController,
            ActingController,
            UserController,
            InvitationController,
            NotificationController,
            MarkController,
            ControlController,
            DeliveryController,
            BroadcastController,
            AlertController,
            HealthController,
            MetricsController,
            stream,
            TicketController,
            PresenceController,
            QueueController,
            SuppressionController,
            UnsubscribeController,
            ScheduleController,
            AuditController,
            PageController,
            *([MailboxController] if settings.mail_catcher_dir else []),
        ],
        dependencies=given.dependencies() | PAGING,
        before_send=[methods.hook, headers.hook(settings)],
        exception_handlers=problems.HANDLERS,
        lifespan=[given.running],
        logging_config=None,
        middleware=[DefineMiddleware(Identify, principals=given.principals, settings=settings)],
        openapi_config=openapi_config(settings),
        request_class=Call,
        request_max_body_size=LARGEST_BODY,
        state=State({"given": given}),
    )
    app.asgi_handler = Requests(Cors(app.asgi_handler, settings))
    return app
