"""Pages of other sites: those the settings list may use the API, by a bearer token and never by a cookie."""

from litestar.config.cors import CORSConfig

from belfry.settings import Settings


def config(settings: Settings) -> CORSConfig | None:
    """None where no site is listed: then browsers let no other page read what we answer."""
    if not settings.allowed_origins:
        return None
    return CORSConfig(
        allow_origins=list(settings.allowed_origins),
        allow_methods=["GET", "POST", "PATCH", "DELETE"],
        allow_headers=["authorization", "content-type", "idempotency-key", "last-event-id"],
        expose_headers=["retry-after"],
        max_age=600,
    )
