"""Errors as `application/problem+json` (RFC 9457)."""

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import ParameterKwarg
from litestar.types import ExceptionHandlersMap
from psycopg.errors import ForeignKeyViolation, UniqueViolation
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from belfry.errors import BadInput, Conflict, FieldError, Malformed, Problem, Unavailable
from belfry.intake.wording import plain
from belfry.web.languages import asked, said, together
from db import is_passing

log = structlog.get_logger()

CONTENT_TYPE = "application/problem+json"
BODY = "data"  # the name of Litestar's argument for the body
DETAILS: dict[int, str] = {
    HTTPStatus.NOT_FOUND: "There is nothing at {path}.",
    HTTPStatus.METHOD_NOT_ALLOWED: "{method} is not possible here; the header Allow says what is.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is larger than 64 KiB.",
}
BUG = "Something is wrong with Belfry itself. It was logged."
LONGEST_PATH = 200  # characters of it that are told
CLASHES = (UniqueViolation, ForeignKeyViolation)  # a row came or went between our look and our commit
LITESTAR_MESSAGE = re.compile(r"^Missing required (?:query )?parameter '?(?P<field>[\w-]+)'?")


class ProblemDetails(msgspec.Struct, frozen=True):
    """What went wrong. `errors` names the fields of the request that were not as expected."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldError]


def answer(
    request: Request[Any, Any, Any],
    status: int,
    title: str,
    detail: str,
    errors: Sequence[FieldError] = (),
    headers: Mapping[str, str] | None = None,
) -> Response[bytes]:
    """The one place that problems leave by, and so where they are put into the caller's language."""
    language = asked(request)
    named = [FieldError(error.field, said(error.message, language)) for error in errors]
    detail = together(named, language) if named else said(detail, language)
    details = ProblemDetails("about:blank", said(title, language), status, detail, named)
    return Response(
        msgspec.json.encode(details),
        status_code=status,
        media_type=CONTENT_TYPE,
        headers={**(headers or {}), "content-language": language, "vary": "Accept-Language"},
    )


def on_problem(request: Request[Any, Any, Any], problem: Problem) -> Response[bytes]:
    return answer(request, problem.status, problem.title, problem.detail, problem.errors, problem.headers)


def on_http_exception(request: Request[Any, Any, Any], exception: HTTPException) -> Response[bytes]:
    """What Litestar itself refuses: unknown routes, wrong methods, parameters of the wrong type, bodies too large."""
    if isinstance(exception, ValidationException):
        return on_problem(request, _bad_parameters(request, exception))
    status = exception.status_code
    path = request.url.path
    if len(path) > LONGEST_PATH:
        path = path[: LONGEST_PATH - 1] + "\u2026"
    detail = DETAILS.get(status, "{0}").format(exception.detail, method=request.method, path=path)
    title = HTTPStatus(status).phrase.capitalize()
    return answer(request, status, title, detail, headers=exception.headers)


def _bad_parameters(request: Request[Any, Any, Any], exception: ValidationException) -> Problem:
    if not isinstance(exception.extra, list):
        missing = LITESTAR_MESSAGE.match(exception.detail)
        return BadInput(FieldError(missing["field"] if missing else "request", "this parameter is required"))
    names = [str(each.get("key", "request")) for each in exception.extra]
    if BODY in names:
        return Malformed("The body is empty; this route expects JSON.")
    return BadInput(
        *(
            FieldError(_public_name(request, name), plain(str(each.get("message"))))
            for name, each in zip(names, exception.extra, strict=True)
        )
    )


def _public_name(request: Request[Any, Any, Any], name: str) -> str:
    """What callers know a handler's or a dependency's argument as: `Idempotency-Key`, not `idempotency_key`."""
    handler = request.route_handler
    assert isinstance(handler, HTTPRouteHandler)
    provided = handler.resolve_dependencies().values()
    signatures = [handler.parsed_fn_signature, *(each.parsed_fn_signature for each in provided)]
    found = next((signature.parameters[name] for signature in signatures if name in signature.parameters), None)
    if found is not None and isinstance(found.kwarg_definition, ParameterKwarg):
        return found.kwarg_definition.name or name
    return name


def on_database_error(
    request: Request[Any, Any, Any], error: DBAPIError | PoolTimeout | TimeoutError
) -> Response[bytes]:
    """PostgreSQL away, overloaded, or out of time: nothing was promised, so the caller may simply try again."""
    if isinstance(error, IntegrityError) and isinstance(error.orig, CLASHES):
        log.warning("clashed with another request", route=_route(request), error=type(error.orig).__name__)
        return on_problem(request, Conflict("This clashes with another request made at the same moment."))
    if not is_passing(error):
        return on_bug(request, error)
    log.warning("database unavailable", route=_route(request), error=type(error.__cause__ or error).__name__)
    return on_problem(request, Unavailable("The database did not answer in time. Nothing is promised; try again."))


def on_bug(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    log.error("request failed", method=request.method, route=_route(request), exc_info=error)
    return answer(request, 500, "Internal server error", BUG)


def _route(request: Request[Any, Any, Any]) -> str:
    """The pattern of the path: the path itself may be a link to unsubscribe, which is a secret."""
    return str(request.scope.get("path_template"))


HANDLERS: ExceptionHandlersMap = {
    Problem: on_problem,
    HTTPException: on_http_exception,
    DBAPIError: on_database_error,
    PoolTimeout: on_database_error,
    TimeoutError: on_database_error,
    Exception: on_bug,
}


NEEDS_LOGIN = (401, 503)  # the login is looked up, in PostgreSQL
CHANGES = 403  # also a cookie's request that does not come from our own pages
TAKES_JSON = (400, 413, 415, 422)


def documented(*statuses: int) -> dict[int, ResponseSpec]:
    """The error answers of a route, for OpenAPI."""
    return {
        status: ResponseSpec(
            ProblemDetails,
            description=HTTPStatus(status).phrase,
            media_type=CONTENT_TYPE,
            generate_examples=False,
        )
        for status in statuses
    }
