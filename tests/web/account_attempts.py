"""What a careless or hostile caller sends where accounts and credentials are made and changed."""

from typing import Any, NamedTuple

PASSWORD = "a secret nobody may see"
NO_MOMENTS: list[Any] = [
    "",
    "tomorrow",
    "2027-01-01",
    "2027-01-01T00:00:00",  # without an offset
    "2027-02-30T00:00:00Z",
    "9999-12-31T23:59:59-14:00",  # in UTC that is the year 10000
    "0001-01-01T00:00:00+14:00",
    1_800_000_000,
    True,
    [],
]
ZONES: list[Any] = ["", "Europe", "Europe/Atlantis", "../../etc/passwd", "europe/berlin", "posix/UTC", None]


class Route(NamedTuple):
    """A route that takes JSON: a body it would accept, and bodies it refuses, by the field to blame."""

    good: dict[str, Any]
    bad: list[tuple[str, dict[str, Any]]]
    method: str = "POST"


ACCOUNT: dict[str, Any] = {"email": "new@example.com", "password": PASSWORD}
NO_ADDRESSES: list[Any] = ["", "ada", "a b@b.example", "a@b.example\n", "a\r\nBcc: b@b.example", "a" * 300 + "@b.c", 1]
NO_MAILBOXES = ["a..b@example.com", "a\u202e@example.com", "a" * 65 + "@example.com", "a@-b.example"]

# guessed first, as it is or as people make it longer: of "new@example.com", in this place
WEAK = [
    "password1",
    "PASSWORD1",
    "QwertyUiop",
    "new@example.com",
    "NEW@example.com!",
    "belfry123",
    "BelfryBelfry",
    "example.com1",
]
LINK: dict[str, Any] = {"token": "bll_" + "x" * 43}
BY_LINK = LINK | {"password": PASSWORD}
ADDRESS: dict[str, Any] = {"email": "new@example.com", "password": PASSWORD}
INVITATION: dict[str, Any] = {"email": "new@example.com"}
NO_TOKENS: list[Any] = ["", "x" * 101, 1, None, "a\0", [], "bll_", LINK["token"], "\u202e"]


def _no_links(good: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        *(("token", good | {"token": value}) for value in NO_TOKENS),
        ("token", {field: value for field, value in good.items() if field != "token"}),
        ("email", good | {"email": "new@example.com"}),
    ]


NEW_PASSWORD: dict[str, Any] = {"current": PASSWORD, "new": PASSWORD}
API_KEY: dict[str, Any] = {"name": "CI", "scopes": ["read"]}

ACCOUNT_ROUTES = {
    "/v1/auth/register": Route(
        ACCOUNT,
        [
            *(("email", ACCOUNT | {"email": value}) for value in NO_ADDRESSES + NO_MAILBOXES),
            *(
                ("password", ACCOUNT | {"password": value})
                for value in ("", "short", "x" * 257, 12345678, None, "a\0" * 5)
            ),
            *(("display_name", ACCOUNT | {"display_name": v}) for v in ("", " ", "x" * 101, "a\nb", "Ada\n", 1)),
            *((field, ACCOUNT | {field: "admin"}) for field in ("role", "id", "email_verified_at")),
            *(("language", ACCOUNT | {"language": value}) for value in ("", "fr", 1, None)),
            *(("time_zone", ACCOUNT | {"time_zone": value}) for value in ZONES),
            ("password", {"email": "new@example.com"}),
            *(("password", ACCOUNT | {"password": value}) for value in WEAK),
        ],
    ),
    "/v1/auth/refresh": Route(
        {"refresh_token": "x"},
        [
            *(("refresh_token", {"refresh_token": value}) for value in ("", "x" * 101, 1, None, "a\0")),
            ("refresh_token", {}),
            ("scope", {"refresh_token": "x", "scope": "all"}),
        ],
    ),
    "/v1/me": Route(
        {"language": "en"},
        [
            *(("display_name", {"display_name": value}) for value in ("", " ", "x" * 101, "a\nb", 1, None)),
            *(("language", {"language": value}) for value in ("", "fr", "EN", 1, None)),
            *(("time_zone", {"time_zone": value}) for value in ZONES),
            *((field, {field: 1}) for field in ("role", "email", "id", "password", "disabled_at")),
        ],
        "PATCH",
    ),
    "/v1/me/password": Route(
        NEW_PASSWORD,
        [
            *(("current", NEW_PASSWORD | {"current": value}) for value in ("", "not mine", "x" * 1_025, 1, None)),
            *(
                ("new", NEW_PASSWORD | {"new": value})
                for value in ("", "short", "x" * 257, 12345678, None, "password1")
            ),
            ("new", {"current": PASSWORD}),
            ("user_id", NEW_PASSWORD | {"user_id": 1}),
        ],
    ),
    "/v1/auth/link": Route(LINK, _no_links(LINK)),
    "/v1/auth/email/verify": Route(
        BY_LINK,
        [
            *_no_links(BY_LINK),
            *(("password", BY_LINK | {"password": value}) for value in ("", "x" * 1_025, 12345678, None)),
            ("password", LINK),
        ],
    ),
    "/v1/auth/password/reset": Route(
        BY_LINK,
        [
            *_no_links(BY_LINK),
            *(("password", BY_LINK | {"password": value}) for value in ("", "short", "x" * 257, 12345678, None)),
            ("password", LINK),
        ],
    ),
    "/v1/auth/invitation": Route(
        BY_LINK,
        [
            *_no_links(BY_LINK),
            *(("password", BY_LINK | {"password": value}) for value in ("", "short", "x" * 257, 12345678, None)),
            *(("display_name", BY_LINK | {"display_name": v}) for v in ("", " ", "x" * 101, "a\nb", 1)),
            *(("time_zone", BY_LINK | {"time_zone": value}) for value in ZONES),
            *((field, BY_LINK | {field: "admin"}) for field in ("role", "id", "invited_by")),
        ],
    ),
    "/v1/auth/password/forgot": Route(
        {"email": "new@example.com"},
        [
            *(("email", {"email": value}) for value in NO_ADDRESSES + NO_MAILBOXES),
            ("password", {"email": "new@example.com", "password": PASSWORD}),
            ("email", {}),
        ],
    ),
    "/v1/auth/confirm": Route(
        {"password": PASSWORD},
        [
            *(("password", {"password": value}) for value in ("", "not mine", "x" * 1_025, 1, None)),
            ("password", {}),
            ("session_id", {"password": PASSWORD, "session_id": 1}),
        ],
    ),
    "/v1/me/email": Route(
        ADDRESS,
        [
            *(("email", ADDRESS | {"email": value}) for value in NO_ADDRESSES + NO_MAILBOXES),
            *(("password", ADDRESS | {"password": value}) for value in ("", "not mine", "x" * 1_025, 1, None)),
            ("password", {"email": "new@example.com"}),
            ("user_id", ADDRESS | {"user_id": 1}),
        ],
    ),
    "/v1/me/delete": Route(
        {"password": PASSWORD},
        [
            *(("password", {"password": value}) for value in ("", "not mine", "x" * 1_025, 1, None)),
            ("password", {}),
            ("user_id", {"password": PASSWORD, "user_id": 1}),
        ],
    ),
    "/v1/users/{user_id}": Route(
        {"role": "member"},
        [
            *(("role", {"role": value}) for value in ("", "king", "ADMIN", 1, None)),
            *(("disabled", {"disabled": value}) for value in ("yes", 1, None)),
            *((field, {field: 1}) for field in ("id", "email", "display_name", "disabled_at", "password")),
        ],
        "PATCH",
    ),
    "/v1/invitations": Route(
        INVITATION,
        [
            *(("email", INVITATION | {"email": value}) for value in NO_ADDRESSES + NO_MAILBOXES),
            *(("role", INVITATION | {"role": value}) for value in ("", "king", 1, None)),
            *(("language", INVITATION | {"language": value}) for value in ("", "fr", 1, None)),
            *((field, INVITATION | {field: 1}) for field in ("id", "expires_at", "invited_by", "password", "token")),
            ("email", {"role": "member"}),
        ],
    ),
    "/v1/api-keys": Route(
        API_KEY,
        [
            *(("name", API_KEY | {"name": value}) for value in ("", " ", "x" * 101, "a\nb", 1, None)),
            *(("scopes", API_KEY | {"scopes": value}) for value in ([], "read", None, ["read"] * 8)),
            *(("scopes[0]", API_KEY | {"scopes": [value]}) for value in ("", "everything", "READ", 1, None)),
            *(("networks", API_KEY | {"networks": value}) for value in ("10.0.0.0/8", None, ["10.0.0.1"] * 21)),
            *(
                ("networks[0]", API_KEY | {"networks": [value]})
                for value in ("", "x", "10.0.0.1/8", "10.0.0.0/33", "10.0.0", "localhost", "::/129", "1" * 51, 1, None)
            ),
            *(("expires_at", API_KEY | {"expires_at": value}) for value in [*NO_MOMENTS, "2001-01-01T00:00:00Z"]),
            *((field, API_KEY | {field: 1}) for field in ("key", "id", "user_id", "role", "last_used_at")),
            ("name", {"scopes": ["read"]}),
            ("scopes", {"name": "CI"}),
        ],
    ),
    "/v1/auth/login": Route(
        ACCOUNT,
        [
            *(("email", ACCOUNT | {"email": value}) for value in NO_ADDRESSES),
            *(("password", ACCOUNT | {"password": value}) for value in ("", "x" * 1_025, 12345678, None, "a\0")),
            ("remember", ACCOUNT | {"remember": True}),
        ],
    ),
}
