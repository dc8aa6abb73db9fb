"""uvicorn, set up for streams."""

import asyncio
import socket
from types import FrameType

import structlog
import uvicorn
from litestar import Litestar

from belfry import garbage
from belfry.app import create_app
from belfry.realtime.protocol import StreamProtocol
from belfry.redis_access import check_redis_access
from belfry.settings import Settings
from belfry.web.given import Given

log = structlog.get_logger()

# Streams have ended by themselves then; this is for requests that hang, so that a stop always comes to its end.
GRACEFUL_SECONDS = 5

# Longer than clients and proxies keep an idle connection (nginx: 60 s). Whoever closes it first must not be us: a
# request that is on its way at that moment would be lost.
KEEP_ALIVE_SECONDS = 75


class Server(uvicorn.Server):
    """Says goodbye to the streams as soon as it is told to stop: uvicorn waits for them before anything else."""

    def __init__(self, config: uvicorn.Config, given: Given) -> None:
        super().__init__(config)
        self.given = given

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.given.live.hub.closing = (
            True  # a signal comes between any two instructions: the rest follows in shutdown()
        )
        super().handle_exit(sig, frame)


def make_server(settings: Settings) -> Server:
    app = create_app(settings)
    config = uvicorn_config(app, host=settings.host, port=settings.port, trusted_proxies=settings.trusted_proxies)
    return Server(config, app.state.given)


def uvicorn_config(app: Litestar, *, host: str, port: int, trusted_proxies: str = "") -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http=StreamProtocol,
        loop="uvloop",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(trusted_proxies),
        forwarded_allow_ips=trusted_proxies,
        timeout_graceful_shutdown=GRACEFUL_SECONDS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )


def serve(settings: Settings, sockets: list[socket.socket] | None = None) -> None:
    """Serve until a signal says otherwise, on the settings' address or on sockets that listen already.

    Raises:
        SettingsError: Redis refuses us.
    """
    asyncio.run(check_redis_access(settings))
    if not settings.secure and not settings.local:
        log.warning("BELFRY_PUBLIC_URL is not https: passwords and cookies cross the network for anybody to read")
    server = make_server(settings)
    garbage.settle()
    server.run(sockets)
