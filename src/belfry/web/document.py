"""The OpenAPI document: what Litestar reads off the handlers, and what it cannot know."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import msgspec
from litestar import Litestar, Request, Response, Router
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.routes import HTTPRoute

from belfry.errors import NotFound
from belfry.intake.fields import STORABLE, Body
from belfry.realtime.formats import FORMATS, Format, Type, dialect
from belfry.realtime.frames import Event
from belfry.settings import Settings
from belfry.web import metrics
from belfry.web.access import ACCESS, UNLISTED, Access
from belfry.web.examples import EXAMPLES, METRICS
from belfry.web.identify import cookie_name
from belfry.web.problems import CONTENT_TYPE, ProblemDetails
from belfry.web.stream import RETRY_MS
from db.queries.paging import LARGEST_ID

STREAM = "/v1/stream"
POSITION = "The `id` of the last event seen; what came after it comes first"
A_POSITION = {"type": "string", "pattern": STORABLE, "examples": ["41.7"]}

EVENTS = """\
| event | data |
|---|---|
| `open`, always first | `{"resumed", "replayed", "unread"}` |
| `notification` | the item, as lists show it |
| `count` | `{"count", "total"}`: the badge, or with `total` false what to add to it |
| `state` | `{"state", "ids"}` or `{"state", "through"}`: read, unread or deleted |
| `desktop` | an alert to show now |
| `progress`, to who sent a broadcast | `{"notification_id", "total", "expanded", "sent", "failed", ...}` |
| `queue`, for admins | `{"mail": "paused", "reason"}` or `{"mail": "working", "reason": null}` |
| `reset` | `{"reason", "unread"}`: load the list anew |
| `reconnect` | `{"after_ms"}`: the server is about to close this stream |
"""


class Document(JsonRenderPlugin):
    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        return super().render(request, complete(openapi_schema, request.app))


def openapi_config(settings: Settings) -> OpenAPIConfig:
    return OpenAPIConfig(
        title="Belfry",
        version="1",
        description=f"A self-hosted notification centre. Live events are at `GET {STREAM}` (Server-Sent Events). "
        "`x-access` says of each route who may use it, and which scopes let an API key: one of them is enough. "
        "Problems and reasons are told in English, or in Chinese to whoever prefers it by `Accept-Language`.",
        openapi_router=Router(
            path="/schema",
            route_handlers=[],
            after_request=_no_such_page,
            include_in_schema=False,
            opt={"exclude_from_auth": True},
        ),
        render_plugins=[Document(path=["/", "/openapi.json"])],
        use_handler_docstrings=True,
        components=Components(
            security_schemes={
                "token": SecurityScheme(type="http", scheme="bearer", bearer_format="JWT"),
                "cookie": SecurityScheme(type="apiKey", name=cookie_name(settings), security_scheme_in="cookie"),
                "ticket": SecurityScheme(
                    type="apiKey",
                    name="ticket",
                    security_scheme_in="query",
                    description="Of `POST /v1/stream/tickets`; opens one stream, and wins over token and cookie",
                ),
            }
        ),
        security=[{"token": []}, {"cookie": []}],
    )


def complete(document: dict[str, Any], app: Litestar) -> dict[str, Any]:
    """Add the stream, the examples, and which routes are open to everybody. Doing it again changes nothing.

    The schemas of bodies are those of the decoder itself: Litestar's leave out unknown fields, and what is nested.
    """
    document["components"]["schemas"] |= _bodies()
    document["paths"][STREAM] = _stream()
    for path, method in _public_routes(app):
        document["paths"][path][method]["security"] = []
    for path, item in document["paths"].items():
        for method, operation in item.items():
            _describe(operation)
            for parameter in operation.get("parameters", []):
                _make_exact(parameter["schema"])
            if operation.get("security") != []:
                operation["responses"].setdefault("403", _refused(HTTPStatus.FORBIDDEN))
            operation["x-access"] = _access(ACCESS.get((method.upper(), path), UNLISTED))
    return document


def _bodies() -> dict[str, Any]:
    bodies = [type(each) for each in EXAMPLES.values() if isinstance(each, Body)]
    return msgspec.json.schema_components(bodies, ref_template="#/components/schemas/{name}")[1]


def _make_exact(schema: dict[str, Any]) -> None:
    """Bounds of parameters as whole numbers: Litestar makes them floats, which cannot say 2^63 - 1."""
    for bound in {"minimum", "maximum"} & schema.keys():
        schema[bound] = min(int(schema[bound]), LARGEST_ID)


def _access(access: Access) -> dict[str, Any]:
    """Who may use a route; an API key needs one of the scopes, and without any it needs a login."""
    return {"who": access.who.value, "scopes": [scope.value for scope in access.scopes]}


def _public_routes(app: Litestar) -> Iterator[tuple[str, str]]:
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for method, (handler, _) in route.route_handler_map.items():
                if handler.opt.get("exclude_from_auth") and handler.resolve_include_in_schema():
                    yield route.path_format, method.lower()


def _describe(operation: dict[str, Any]) -> None:
    """Give an operation's bodies their examples; Litestar's own idea of a bad request goes."""
    for media in operation.get("requestBody", {}).get("content", {}).values():
        _exemplify(media)
    responses = operation["responses"]
    for status, response in list(responses.items()):
        if status == "204":
            response.pop("content", None)
        content = response.get("content", {})
        if status == "400" and CONTENT_TYPE not in content:
            del responses[status]
        for kind, media in content.items():
            if kind == CONTENT_TYPE:
                media["example"] = _problem(HTTPStatus(int(status)))
            elif kind == metrics.CONTENT_TYPE:
                media["example"] = METRICS
            else:
                _exemplify(media)


def _exemplify(media: dict[str, Any]) -> None:
    schema = media["schema"]
    name = schema.get("items", schema).get("$ref", "").rpartition("/")[2]
    if name in EXAMPLES:
        example = msgspec.to_builtins(EXAMPLES[name])
        media["example"] = [example] if "items" in schema else example


def _problem(status: HTTPStatus) -> dict[str, Any]:
    errors = [{"field": "title", "message": "this field is required"}] if status == 422 else []
    return {
        "type": "about:blank",
        "title": status.phrase.capitalize(),
        "status": status.value,
        "detail": "title: this field is required" if errors else status.description or status.phrase,
        "errors": errors,
    }


def _stream() -> dict[str, Any]:
    """The stream's route is raw ASGI, which Litestar does not document."""
    return {
        "get": {
            "tags": ["Stream"],
            "summary": "Open a stream",
            "description": "Events without end: first what came after a position, then what comes. The format is "
            "chosen by `format`, or else by the header Accept.\n\n" + EVENTS,
            "operationId": "V1StreamOpen",
            "parameters": [
                _parameter("Last-Event-ID", POSITION, A_POSITION, place="header"),
                _parameter("last_event_id", f"{POSITION}; the header wins", A_POSITION),
                _parameter("format", "The format of the events", {"type": "string", "enum": list(FORMATS)}),
                _parameter(
                    "types",
                    "Only these events, separated by commas; open, reset and reconnect always come",
                    {"type": "array", "items": {"type": "string", "enum": list(Type)}, "minItems": 1},
                )
                | {"style": "form", "explode": False},
                _parameter("poll", "1: say what there is, and end", {"type": "string", "enum": ["0", "1"]}),
            ],
            "security": [{"token": []}, {"cookie": []}, {"ticket": []}],
            "responses": {
                "200": {
                    "description": "The stream",
                    "content": {
                        form.content_type: {"schema": _schema(form), "example": _shown(form)}
                        for form in FORMATS.values()
                    },
                }
            }
            | {str(status): _refused(HTTPStatus(status)) for status in (401, 403, 405, 406, 422, 429, 503)},
        }
    }


def _refused(status: HTTPStatus) -> dict[str, Any]:
    problem = {"schema": {"$ref": f"#/components/schemas/{ProblemDetails.__name__}"}, "example": _problem(status)}
    return {"description": status.phrase, "content": {CONTENT_TYPE: problem}}


def _schema(form: Format) -> dict[str, Any]:
    """In OpenAPI 3.1 the schema of `text/event-stream` is that of one event."""
    if form is not FORMATS["sse"]:
        return {"type": "string"}
    text = {"type": "string"}
    data = text | {"contentMediaType": "application/json"}
    return {
        "type": "object",
        "properties": {"event": text, "data": data, "id": A_POSITION, "retry": {"type": "integer"}},
        "required": ["event", "data"],
        "additionalProperties": False,
    }


def _parameter(name: str, description: str, schema: dict[str, Any], *, place: str = "query") -> dict[str, Any]:
    return {"name": name, "in": place, "description": description, "schema": schema}


def _shown(form: Format) -> str:
    """The beginning of a stream."""
    opened = Event("open", b'{"resumed":true,"replayed":0,"unread":3}')
    return (form.greeting(RETRY_MS) + dialect(form).numbered([opened], 41, 7)).decode()


def _no_such_page(response: Response[Any]) -> Response[Any]:
    """Litestar says "404" of a page beside the document in HTML."""
    if response.status_code == HTTPStatus.NOT_FOUND:
        raise NotFound("The OpenAPI document is at /schema.")
    return response
