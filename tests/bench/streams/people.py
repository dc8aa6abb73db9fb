"""As many users as there are streams, each with an open login and a token of its own."""

import msgspec
from sqlalchemy import text

from belfry.accounts.tokens import Tokens
from belfry.settings import Settings
from db import Database
from db.models import Role
from tests import rows
from tests.bench.client.wire import request
from tests.bench.stage import Stage

LOGINS = text("""
    INSERT INTO sessions (user_id, token_hash, user_agent, expires_at)
    SELECT id, sha256(CAST('bench' || id AS bytea)), 'bench', now() + interval '1 day'
    FROM unnest(CAST(:users AS bigint[])) id
    RETURNING user_id, id
""")


class People(msgspec.Struct, frozen=True, kw_only=True):
    """`requests` open streams, one for each of the `users`; `sender` is the token of somebody who may write to all."""

    users: list[int]
    requests: list[str]
    tokens: list[str]
    sender: str

    def first(self, count: int) -> "People":
        return People(
            users=self.users[:count],
            requests=self.requests[:count],
            tokens=self.tokens[:count],
            sender=self.sender,
        )


async def make(stage: Stage, count: int) -> People:
    async with stage.database() as db:
        sender = await stage.user(db, "streams-sender@example.com", Role.SENDER)
        users = await rows.users(db, count)
        tokens = await _tokens(db, stage.settings, users)
    requests = [request("GET", "/v1/stream", token=token) for token in tokens]
    return People(users=users, requests=requests, tokens=tokens, sender=sender.token)


async def _tokens(db: Database, settings: Settings, users: list[int]) -> list[str]:
    async with db.begin() as tx:
        logins = {row.user_id: row.id for row in await tx.execute(LOGINS, {"users": users})}
        await tx.execute(text("ANALYZE"))
    tokens = Tokens(settings.secret_key, seconds=settings.access_token_seconds)
    return [tokens.issue(user_id=user_id, session_id=logins[user_id]) for user_id in users]
