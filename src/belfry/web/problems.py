"""Errors as `application/problem+json` (RFC 9457)."""

import re
from http import HTTPStatus
from typing import Any

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.openapi.datastructures import ResponseSpec
from litestar.types import ExceptionHandlersMap
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from belfry.errors import FieldError, Problem, Unavailable
from db import is_passing

log = structlog.get_logger()

CONTENT_TYPE = "application/problem+json"
LITESTAR_MESSAGE = re.compile(r"^Missing required (?:query )?parameter '?(?P<field>[\w-]+)'?")


class ProblemDetails(msgspec.Struct, frozen=True):
    """What went wrong. `errors` names the fields of the request that were not as expected."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldError]


def answer(status: int, title: str, detail: str, errors: list[FieldError], headers: dict[str, str]) -> Response[bytes]:
    details = ProblemDetails("about:blank", title, status, detail, errors)
    return Response(msgspec.json.encode(details), status_code=status, media_type=CONTENT_TYPE, headers=headers)


def on_problem(_: Request[Any, Any, Any], problem: Problem) -> Response[bytes]:
    return answer(problem.status, problem.title, problem.detail, problem.errors, problem.headers)


def on_http_exception(_: Request[Any, Any, Any], exception: HTTPException) -> Response[bytes]:
    """What Litestar itself refuses: unknown routes, wrong methods, parameters of the wrong type, bodies too large."""
    status, errors = exception.status_code, []
    if isinstance(exception, ValidationException):
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        if isinstance(exception.extra, list):
            errors = [FieldError(str(each.get("key", "request")), str(each.get("message"))) for each in exception.extra]
        elif found := LITESTAR_MESSAGE.match(exception.detail):
            errors = [FieldError(found["field"], "this parameter is required")]
    detail = "; ".join(f"{error.field}: {error.message}" for error in errors) or exception.detail
    return answer(status, HTTPStatus(status).phrase, detail, errors, dict(exception.headers or {}))


def on_database_error(request: Request[Any, Any, Any], error: DBAPIError | PoolTimeout) -> Response[bytes]:
    """PostgreSQL away, overloaded, or out of time: nothing was promised, so the caller may simply try again."""
    if not is_passing(error):
        return on_bug(request, error)
    log.warning("database unavailable", path=request.url.path, error=type(error.__cause__ or error).__name__)
    return on_problem(request, Unavailable("The database cannot be reached right now. Nothing was changed."))


def on_bug(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    log.error("request failed", method=request.method, path=request.url.path, exc_info=error)
    return answer(500, "Internal server error", "Something is wrong with Belfry itself. It was logged.", [], {})


HANDLERS: ExceptionHandlersMap = {
    Problem: on_problem,
    HTTPException: on_http_exception,
    DBAPIError: on_database_error,
    PoolTimeout: on_database_error,
    Exception: on_bug,
}


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
