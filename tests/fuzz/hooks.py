"""What the fuzzer does beside drawing requests: it is always somebody, and it never waits for a stream's end.

It runs in a process of its own, which is told by the environment where the database is and what signs tokens.
"""

import os
import re
import secrets
from typing import Any

import psycopg
import schemathesis

from belfry.accounts.tokens import KEY_PREFIX, Tokens, fingerprint, opaque
from belfry.web.access import ACCESS
from tests.fuzz.run import DATABASE, SECRET

STREAM = "/v1/stream"
TICKET = re.compile(r"[A-Za-z0-9_-]{43}")

HOLDS = """
    SELECT FROM sessions s JOIN users u ON u.id = s.user_id JOIN sessions k ON k.id = %s AND k.expires_at > now()
    WHERE s.id = %s AND s.expires_at > now() AND u.role = 'admin' AND u.disabled_at IS NULL
"""
APPEAR = """
    WITH u AS (
        INSERT INTO users (email, password_hash, display_name, role) VALUES (%s, '', 'Fuzzer', 'admin') RETURNING id
    ), i AS (INSERT INTO inboxes (user_id) SELECT id FROM u), k AS (
        INSERT INTO sessions (user_id, token_hash, scopes, expires_at)
        SELECT id, %s, '{act-as}', now() + interval '1 day' FROM u RETURNING id
    ), a AS (INSERT INTO api_keys (session_id, name, networks) SELECT id, 'fuzzer', '{}' FROM k)
    INSERT INTO sessions (user_id, expires_at) SELECT u.id, now() + interval '1 day' FROM u
    RETURNING user_id, id, (SELECT id FROM k)
"""


@schemathesis.auth(refresh_interval=None)
class Somebody:
    """An admin who is logged in, or has an API key where only these will do.

    What it tries ends logins, among others its own: then it comes as another.
    """

    def __init__(self) -> None:
        self._db = psycopg.connect(os.environ[DATABASE], autocommit=True)
        self._tokens = Tokens(os.environ[SECRET], seconds=24 * 3600)
        self._session = self._key_session = 0
        self._token = self._key = ""

    def get(self, _case: Any, context: Any) -> str:
        if self._db.execute(HOLDS, (self._key_session, self._session)).fetchone() is None:
            self._appear()
        access = ACCESS.get((context.operation.method.upper(), context.operation.path))
        return self._key if access is not None and access.keys_only else self._token

    def set(self, case: Any, token: str, _context: Any) -> None:
        case.headers["Authorization"] = f"Bearer {token}"

    def _appear(self) -> None:
        self._key = opaque(KEY_PREFIX)
        email = f"fuzzer-{secrets.token_hex(6)}@example.com"
        appeared = self._db.execute(APPEAR, (email, fingerprint(self._key))).fetchone()
        assert appeared is not None
        user_id, self._session, self._key_session = appeared
        self._token = self._tokens.issue(user_id=user_id, session_id=self._session)


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: dict[str, Any]) -> None:
    """A stream that was opened has no end; with `poll` it says the same, and ends.

    A ticket that looks as ours do is one that an answer gave: it is good, and nobody is to be surprised by that.
    """
    if case.operation.path != STREAM:
        return
    if case.query.get("poll", "0") == "0":
        case.query["poll"] = "1"
    if TICKET.fullmatch(str(case.query.get("ticket", ""))):
        del case.query["ticket"]
