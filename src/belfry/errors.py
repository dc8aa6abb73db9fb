"""What can go wrong for a caller, as RFC 9457 problem details.

    Problem                    a caller's mistake or a passing trouble; carries its status
    ├── BadInput        422    fields of the request are not as expected; names them
    ├── Malformed       400    the body is not JSON at all
    ├── Unauthenticated 401    no login, or one that no longer holds
    ├── Forbidden       403    known, but not allowed to do this
    │   └── Unconfirmed        allowed, once the password was given again
    ├── NotFound        404    no such thing, or somebody else's: the answer is the same
    ├── Conflict        409    clashes with what is there
    ├── TooMany         429    over a limit; says when to try again
    └── Unavailable     503    PostgreSQL or Redis is away; says when to try again

Anything else that is raised is a bug, and a 500.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import msgspec


class FieldError(msgspec.Struct, frozen=True):
    """One field of the request and what was expected of it."""

    field: str
    message: str


class Problem(Exception):
    status: ClassVar[int] = 400
    title: ClassVar[str] = "Bad request"

    def __init__(
        self, detail: str, *, errors: Sequence[FieldError] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = list(errors)
        self.headers = dict(headers or {})


class BadInput(Problem):
    status = 422
    title = "Bad input"

    def __init__(self, *errors: FieldError) -> None:
        super().__init__("; ".join(f"{error.field}: {error.message}" for error in errors), errors=errors)


class Malformed(Problem):
    status = 400
    title = "Malformed request"


class Unauthenticated(Problem):
    status = 401
    title = "Not logged in"

    def __init__(self, detail: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail, headers={"www-authenticate": 'Bearer realm="belfry"', **(headers or {})})


class Forbidden(Problem):
    status = 403
    title = "Not allowed"


class Unconfirmed(Forbidden):
    title = "Confirm it is you"


class NotFound(Problem):
    status = 404
    title = "Not found"


class Conflict(Problem):
    status = 409
    title = "Conflict"


class TooMany(Problem):
    status = 429
    title = "Too many"

    def __init__(self, detail: str, *, retry_after: int, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail, headers={"retry-after": str(retry_after), **(headers or {})})


class Unavailable(Problem):
    status = 503
    title = "Temporarily unavailable"

    def __init__(self, detail: str, *, retry_after: int = 2) -> None:
        super().__init__(detail, headers={"retry-after": str(retry_after)})
