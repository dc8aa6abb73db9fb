"""Which methods a path has, in answer to OPTIONS: Litestar names only those of the first of its handlers."""

from collections import defaultdict
from functools import lru_cache

from litestar import Litestar
from litestar.routes import HTTPRoute
from litestar.types import Message, Scope

__all__ = ["hook"]


async def hook(message: Message, scope: Scope) -> None:
    if message["type"] == "http.response.start" and scope.get("method") == "OPTIONS":
        methods = _methods(scope["litestar_app"]).get(str(scope.get("path_template")))
        if methods is not None:
            others = (header for header in message["headers"] if header[0].lower() != b"allow")
            message["headers"] = [*others, (b"allow", ", ".join(methods).encode())]


@lru_cache
def _methods(app: Litestar) -> dict[str, list[str]]:
    found = defaultdict[str, set[str]](set)
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            found[route.path_format] |= {str(method) for method in route.methods}
    return {path: sorted(methods) for path, methods in found.items()}
