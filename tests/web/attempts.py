"""What a careless or hostile caller sends, and the answer it should get."""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from tests.web.account_attempts import ACCOUNT_ROUTES, NO_ADDRESSES, NO_MOMENTS, PASSWORD, ZONES, Route

__all__ = ["JSON", "PASSWORD", "ROUTES", "Attempt", "Route", "everything"]

JSON = {"content-type": "application/json"}
DEEP = 100_000
SOON = datetime.now(UTC) + timedelta(days=30)


FOR_ADMINS = (
    *("/v1/deliveries", "/v1/suppressions", "/v1/audit", "/v1/presence", "/v1/queue"),
    *("/v1/users", "/v1/invitations"),
    "/v1/deliveries/failed",
)


class Attempt(NamedTuple):
    """One request. `field` is what the answer must name; None where the request has no field to blame."""

    method: str
    path: str
    status: int
    field: str | None = None
    body: bytes | None = None
    headers: dict[str, str] = {}

    @property
    def by_admin(self) -> bool:
        """Whether an admin makes it; else a sender does, whom an admin's route would not let in at all."""
        return self.status != 403 and self.path.startswith(FOR_ADMINS)


def _texts(good: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """What is wrong with the words of any message."""
    wrong: dict[str, list[Any]] = {
        "title": [
            "",
            " ",
            "\u00a0",
            "x" * 256,
            3,
            None,
            ["x"],
            "a\nb",
            "a\r\nBcc: x",
            "a\n",
            "a\0",
            "a\x1b[2J",
            "a\u2028b",
        ],
        "content": ["x" * 20_001, "a\0", "a\x07", None, 7],
        "link": [
            "javascript:alert(1)",
            " https://a.example",
            "https://a.example\n",
            "//a.example",
            "https://",
            "data:x",
            1,
        ],
    }
    return [(field, good | {field: value}) for field, values in wrong.items() for value in values]


def _words(good: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """What is wrong with a message that goes into inboxes."""
    return [
        *_texts(good),
        *(("priority", good | {"priority": value}) for value in (0, 6, "3", 2.5, True, None, 2**70)),
        *(("tags", good | {"tags": value}) for value in ("ci", ["a"] * 21, None)),
        *(("tags[0]", good | {"tags": [value]}) for value in ("", "a b", "a,b", "ci\n", "x" * 51, 1)),
        *(("channels", good | {"channels": value}) for value in ([], "inbox", ["inbox"] * 4, None)),
        ("channels[0]", good | {"channels": ["fax"]}),
        *((field, good | {field: 1}) for field in ("status", "sender_id", "modseq", "created_at", "id", "user_id")),
        ("title", {field: value for field, value in good.items() if field != "title"}),
    ]


def _times(good: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        *((field, good | {field: value}) for field in ("send_at", "expires_at") for value in NO_MOMENTS),
        ("send_at", good | {"send_at": "2999-01-01T00:00:00Z"}),
        ("expires_at", good | {"expires_at": "2001-01-01T00:00:00Z"}),
        ("expires_at", good | {"send_at": SOON.isoformat(), "expires_at": SOON.isoformat()}),
    ]


def _recipients(good: dict[str, Any], field: str = "to") -> list[tuple[str, dict[str, Any]]]:
    values: list[Any] = [
        0,
        -1,
        2**63,
        2**64,
        10**15,
        1.5,
        True,
        [],
        {},
        "",
        "nobody",
        "nobody@example.com",
        "a\n@example.com",
    ]
    return [(field, good | {"to": value if field == "to" else [value]}) for value in values]


def _choices(*, through: bool) -> list[tuple[str, dict[str, Any]]]:
    return [
        *(("ids", {"ids": value}) for value in list[Any](([], None, 1, "1", {}, list(range(1, 1002))))),
        *(("ids[0]", {"ids": [value]}) for value in (0, -1, 2**63, 2**64, "1", 1.5, None, True)),
        ("ids", {}),
        ("user_id", {"ids": [1], "user_id": 1}),
        *((("through", {"through": value}) for value in (0, 2**63, "1", [1])) if through else ()),
        *([("ids", {"ids": [1], "through": 1})] if through else [("through", {"through": 1})]),
    ]


MESSAGE: dict[str, Any] = {"title": "Build passed"}
BATCH: dict[str, Any] = {"to": ["ada@example.com"], **MESSAGE}
SPAN: dict[str, Any] = {"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"}
SUPPRESSION: dict[str, Any] = {"address": "ada@example.com"}
ALERT: dict[str, Any] = {"to": "ada@example.com", **MESSAGE}

SCHEDULE: dict[str, Any] = {"name": "Nightly", "cron": "@daily", **MESSAGE}
CRONS: list[Any] = ["", " ", "* * * *", "* * * * * *", "60 * * * *", "@reboot", "@every 5m", "x" * 256, "0 0 30 2 *", 5]
SCHEDULED = [
    *(("cron", {"cron": value}) for value in CRONS),
    *(("time_zone", {"time_zone": value}) for value in ZONES),
    *(("audience", {"audience": value}) for value in list[Any](([], "nobody", None, {}, [1] * 1_001))),
    *((f"audience[{n}]", {"audience": ["ada@example.com"] * n + [10**15]}) for n in range(2)),
    *(("name", {"name": value}) for value in ("", " ", "x" * 101, "a\nb", 1, None)),
    *(("title", {"title": value}) for value in ("{day}", "{", "}", "{}", "{date", "{date!r}", "{date.year}")),
    *(("content", {"content": value}) for value in ("{0}", "a } b", "{ date }")),
    ("title", {"title": "{schedule}" * 25, "name": "x" * 100}),
    *(("late_policy", {"late_policy": value}) for value in ("later", None, 1)),
    *(("grace_seconds", {"grace_seconds": value}) for value in (0, -1, 59, 10**6, "60", None)),
    *(("enabled", {"enabled": value}) for value in ("yes", 1, None)),
    *((field, {field: 1}) for field in ("owner_id", "sent", "next_due_at", "send_at", "expires_at")),
]

ROUTES = {
    **ACCOUNT_ROUTES,
    "/v1/notifications": Route(MESSAGE, _words(MESSAGE) + _times(MESSAGE) + _recipients(MESSAGE)),
    "/v1/notifications/batch": Route(
        BATCH,
        [
            *_words(BATCH),
            *_times(BATCH),
            *_recipients(BATCH, "to[0]"),
            *(("to", BATCH | {"to": value}) for value in ([], "ada@example.com", None, [1] * 1_001)),
        ],
    ),
    "/v1/broadcasts": Route(MESSAGE, [*_words(MESSAGE), *_times(MESSAGE), ("to", MESSAGE | {"to": 1})]),
    "/v1/alerts": Route(ALERT, [*_texts(ALERT), *_recipients(ALERT), ("priority", ALERT | {"priority": 5})]),
    "/v1/schedules": Route(
        SCHEDULE,
        [*_words(SCHEDULE), *((field, SCHEDULE | change) for field, change in SCHEDULED), ("name", MESSAGE)],
    ),
    "/v1/schedules/{schedule_id}": Route({"enabled": False}, [], "PATCH"),
    "/v1/notifications/read": Route({"ids": [1]}, _choices(through=True)),
    "/v1/notifications/delete": Route({"ids": [1]}, _choices(through=True)),
    "/v1/deliveries/retry": Route(
        SPAN,
        [
            *((field, SPAN | {field: value}) for field in SPAN for value in [*NO_MOMENTS[:5], *NO_MOMENTS[7:], None]),
            *((field, {other: SPAN[other] for other in SPAN if other != field}) for field in SPAN),
            ("status", SPAN | {"status": "failed"}),
        ],
    ),
    "/v1/notifications/unread": Route({"ids": [1]}, _choices(through=False)),
    "/v1/suppressions": Route(
        SUPPRESSION,
        [
            *(("address", SUPPRESSION | {"address": value}) for value in NO_ADDRESSES),
            *(("scope", SUPPRESSION | {"scope": value}) for value in ("", "none", None, 1)),
            *(("detail", SUPPRESSION | {"detail": value}) for value in ("x" * 501, "a\0", "a\x07", None, 7)),
            *((field, SUPPRESSION | {field: "bounced"}) for field in ("reason", "id", "created_at")),
            ("address", {"scope": "all"}),
        ],
    ),
}

NOT_JSON = [
    b"{",
    b'{"title":"x"',
    b'{"title":"x"} x',
    b"title=x",
    b'{"title":NaN}',
    b"\xef\xbb\xbf{}",
    b'{"title":"\xff"}',
    b'{"title":"a\\ud800b"}',
    b'{"title":"a\\udc00"}',
    b'{"title":"a\x01b"}',
    b'{"title":1e400}',
    b'{"title":' + b"9" * 5_000 + b"}",
    b"[" * 60_000,
    b'{"a":' * 1_000 + b"1" + b"}" * 1_000,
    b"",
]
NOT_AN_OBJECT = [b"null", b"[]", b'"x"', b"3"]
DEEP_ENOUGH_TO_DECODE = b'{"title":' + b"[" * 700 + b"]" * 700 + b"}"


def on_bodies() -> Iterator[Attempt]:
    """Every route that takes JSON, with everything that is not the JSON it takes."""
    for pattern, route in ROUTES.items():
        good, method, path = (
            json.dumps(route.good).encode(),
            route.method,
            pattern.replace("{schedule_id}", "1").replace("{user_id}", "1"),
        )
        for field, bad in route.bad:
            yield Attempt(method, path, 422, field, json.dumps(bad).encode(), JSON)
        for raw in NOT_JSON:
            yield Attempt(method, path, 400, None, raw, JSON)
        for raw in NOT_AN_OBJECT:
            yield Attempt(method, path, 422, "body", raw, JSON)
        yield Attempt(method, path, 422, None, DEEP_ENOUGH_TO_DECODE, JSON)
        yield Attempt(method, path, 413, None, b"[" * DEEP, JSON)
        yield Attempt(method, path, 415, None, good)
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ";;,="):
            yield Attempt(method, path, 415, None, good, {"content-type": kind})


def on_keys() -> Iterator[Attempt]:
    for path in ("/v1/notifications", "/v1/notifications/batch", "/v1/broadcasts"):
        body = json.dumps(ROUTES[path].good).encode()
        for key in ("", "x" * 256, "a b", "schl\u00fcssel"):
            yield Attempt("POST", path, 422, "Idempotency-Key", body, JSON | {"idempotency-key": key})


NUMBERED = (
    *("/v1/notifications/sent", "/v1/broadcasts", "/v1/schedules", "/v1/audit", "/v1/users", "/v1/invitations"),
)


def on_lists() -> Iterator[Attempt]:
    numbers = ["0", "-1", "x", "1.5", "", "9" * 30, "9" * 5_000, "%00", "%ff"]
    for path in (*NUMBERED, "/v1/notifications"):
        for page in [*numbers, "10001"]:
            yield Attempt("GET", f"{path}?page={page}", 422, "page")
        for size in [*numbers, "101"]:
            yield Attempt("GET", f"{path}?page_size={size}", 422, "page_size")
    for path in NUMBERED:
        for cursor in [*numbers, str(2**63)]:
            yield Attempt("GET", f"{path}?cursor={cursor}", 422, "cursor")
    for cursor in CURSORS:
        yield Attempt("GET", f"/v1/notifications?cursor={cursor}", 422, "cursor")
    yield Attempt(
        "GET", f"/v1/notifications?cursor={_cursor([datetime(2026, 1, 1, tzinfo=UTC), 1])}&page=2", 422, "page"
    )
    for value in ("", "x", "READ", "%00"):
        yield Attempt("GET", f"/v1/notifications?type={value}", 422, "type")
        yield Attempt("GET", f"/v1/notifications?state={value}", 422, "state")
        yield Attempt("GET", f"/v1/audit?action={value}", 422, "action")
        yield Attempt("GET", f"/v1/users?role={value}", 422, "role")
        yield Attempt("GET", f"/v1/users?state={value}", 422, "state")
    for value in ("", "x" * 101):
        yield Attempt("GET", f"/v1/users?q={value}", 422, "q")


def _cursor(value: object) -> str:
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(value)).rstrip(b"=").decode()


CURSORS = [
    "",
    "x",
    "!!",
    "%00",
    "%ff",
    "%F0%9F%98%80",
    "A" * 101,
    base64.urlsafe_b64encode(b"\xff\xfe\xfd junk").decode(),
    *(_cursor(value) for value in (1, "x", None, [], [1, 2], {"at": 1}, ["x", 1], [1e300, 1], [2**62, 1], b"\xff")),
    *(_cursor(["2026-01-01T00:00:00Z", number]) for number in (-1, 0, 2**63, True, 1.5, "1", None)),
    _cursor(["2026-01-01T00:00:00", 1]),
    _cursor(["0001-01-01T00:00:00+14:00", 1]),
    _cursor(["9999-12-31T23:59:59-14:00", 1]),
]


def on_paths() -> Iterator[Attempt]:
    for path in ("/v1/notifications", "/v1/broadcasts", "/v1/schedules"):
        for number in ("0", "-1", "999999", str(2**63), "9" * 5_000, "abc", "1.5", "%00", "1%00", "%ff"):
            yield Attempt("GET", f"{path}/{number}", 404)
    for number in ("0", "-1", "999999", str(2**63), "9" * 5_000, "abc"):
        yield Attempt("DELETE", f"/v1/notifications/{number}", 404)
        yield Attempt("POST", f"/v1/notifications/{number}/cancel", 404)
        yield Attempt("POST", f"/v1/notifications/{number}/retry", 404)
        yield Attempt("GET", f"/v1/notifications/{number}/trace", 404)
        yield Attempt("DELETE", f"/v1/schedules/{number}", 404)
        yield Attempt("GET", f"/v1/schedules/{number}/runs", 404)
        yield Attempt("POST", f"/v1/schedules/{number}/run", 404)
        yield Attempt("PATCH", f"/v1/schedules/{number}", 404, None, b"{}", JSON)
    for number in ("0", "-1", "999999", str(2**63), "9" * 5_000, "abc"):
        yield Attempt("DELETE", f"/v1/sessions/{number}", 404)
        yield Attempt("DELETE", f"/v1/api-keys/{number}", 404)
        yield Attempt("GET", f"/v1/users/{number}", 404)
        yield Attempt("PATCH", f"/v1/users/{number}", 404, None, b"{}", JSON)
        yield Attempt("DELETE", f"/v1/users/{number}/sessions", 404)
        yield Attempt("DELETE", f"/v1/invitations/{number}", 404)
    for path in ("/nothing", "/v1", "/v1/%ff", "/schema/nothing", "/v1/me/nothing", "/v1/notifications/1/2/3"):
        yield Attempt("GET", path, 404)


def on_streams() -> Iterator[Attempt]:
    wrong = {
        "format": ("", "xml", "SSE", "%00", "%ff"),
        "types": ("", "x", "count,", "count,open", "COUNT", "count%00"),
        "poll": ("", "2", "yes", "-1", "%ff"),
    }
    for field, values in wrong.items():
        for value in values:
            yield Attempt("GET", f"/v1/stream?{field}={value}", 422, field)
    for ticket in ("", "x", "A" * 43, "A" * 5_000, "%00", "%ff", "%F0%9F%98%80", "x&ticket=y"):
        yield Attempt("GET", f"/v1/stream?ticket={ticket}", 401)
    yield Attempt("GET", "/v1/stream", 406, None, None, {"accept": "text/html"})
    for path in (
        "/v1/presence",
        "/v1/queue",
        "/v1/suppressions",
        "/v1/audit",
        "/v1/invitations",
        "/v1/users/1",
        "/v1/deliveries/failed",
    ):
        yield Attempt("GET", path, 403)
    yield Attempt("GET", "/v1/users?role=member", 403)
    yield Attempt("DELETE", "/v1/suppressions/1", 403)
    yield Attempt("GET", f"/v1/suppressions?address={'x' * 255}", 422, "address")
    yield Attempt("GET", "/v1/suppressions?address=a%00b", 422, "address")


def everything() -> list[Attempt]:
    return [*on_bodies(), *on_keys(), *on_lists(), *on_paths(), *on_streams()]
