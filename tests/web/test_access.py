"""Every route as everybody: what `belfry.web.access` says of each is what happens."""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple
from uuid import uuid4

import httpx
import msgspec
import pytest
from sqlalchemy import text

from belfry.accounts.keys import AS_SOMEBODY
from belfry.accounts.tokens import KEY_PREFIX, fingerprint, opaque
from belfry.settings import Settings
from belfry.web.access import ACCESS, ROLES, Access, Who
from db.models import KeyScope, MailKind, Role
from db.queries import api_keys, invitations, sessions, users
from tests.serving import Serving
from tests.web.test_bad_input import operations, the_document

PLACES = {
    "notification_id",
    "schedule_id",
    "session_id",
    "key_id",
    "suppression_id",
    "user",
    "user_id",
    "invitation_id",
}


class Visitor(NamedTuple):
    """Who comes, and with what: nothing, a login, or (with `scope`) an API key or a token to act as somebody."""

    name: str
    role: Role | None
    owns: bool = False
    scopes: tuple[KeyScope, ...] | None = None
    key: bool = False


VISITORS = [
    Visitor("anonymous", None),
    Visitor("another member", Role.MEMBER),
    Visitor("owner", Role.MEMBER, owns=True),
    Visitor("another sender", Role.SENDER),
    Visitor("owning sender", Role.SENDER, owns=True),
    Visitor("admin", Role.ADMIN),
    Visitor("owning admin", Role.ADMIN, owns=True),
    *(Visitor(f"key to {scope}", Role.ADMIN, owns=True, scopes=(scope,), key=True) for scope in KeyScope),
    *(Visitor(f"sender's key to {scope}", Role.SENDER, owns=True, scopes=(scope,), key=True) for scope in KeyScope),
    Visitor("member's key to everything", Role.MEMBER, owns=True, scopes=tuple(KeyScope), key=True),
    Visitor("acting as a member", Role.MEMBER, owns=True, scopes=AS_SOMEBODY),
    Visitor("acting as a sender", Role.SENDER, owns=True, scopes=AS_SOMEBODY),
]


def expected(access: Access, visitor: Visitor) -> int | None:
    """The status that turns a visitor away; None if the route is open."""
    if access.who is Who.ANYBODY:
        return None
    if visitor.role is None:
        return 401
    if access.keys_only and not visitor.key:
        return 403
    if visitor.scopes is not None and not set(visitor.scopes) & set(access.scopes):
        return 403
    if visitor.role not in ROLES[access.who]:
        return 403
    if not visitor.owns and not (access.admins and visitor.role is Role.ADMIN):
        return access.foreign
    return None


class Stage:
    """Makes users, what belongs to them, and credentials, without a password's 40 ms each."""

    def __init__(self, belfry: Serving) -> None:
        self.given = belfry.given

    async def user(self, role: Role) -> int:
        async with self.given.db.begin() as tx:
            email = f"{uuid4().hex}@example.com"
            account = await users.create(tx, email=email, password_hash="", display_name="", role=role)
        assert account is not None
        return account.id

    async def session(self, user_id: int) -> int:
        async with self.given.db.begin() as tx:
            return await sessions.open_(tx, user_id, token_hash=uuid4().bytes, user_agent="", days=1)

    async def key(self, user_id: int, scopes: tuple[KeyScope, ...]) -> tuple[int, str]:
        key = opaque(KEY_PREFIX)
        async with self.given.db.begin() as tx:
            made = await api_keys.make(
                tx, user_id, name="x", token_hash=fingerprint(key), scopes=scopes, networks=[], expires_at=None, most=9
            )
        assert made is not None
        return made.id, key

    async def credential(self, visitor: Visitor, user_id: int) -> str:
        """What a visitor shows."""
        if visitor.scopes is None:
            return self.given.tokens.issue(user_id=user_id, session_id=await self.session(user_id))
        if visitor.key:
            return (await self.key(user_id, visitor.scopes))[1]
        issuer, _ = await self.key(await self.user(Role.ADMIN), tuple(KeyScope))
        async with self.given.db.begin() as tx:
            [key] = [each for _, each in await sessions.find(tx, ids=[issuer], hashes=[])]
            session = await api_keys.issue(tx, key, user_id, scopes=visitor.scopes, user_agent="", seconds=60)
        assert session is not None
        return self.given.tokens.issue(user_id=user_id, session_id=session)

    async def notification(self, owner: int) -> int:
        """One that its owner sent and received, whose e-mail failed, so that it can be tried again and cancelled."""
        made = text("""
            WITH box AS (
                UPDATE inboxes SET modseq = modseq + 1, unread = unread + 1 WHERE user_id = :id RETURNING modseq
            ), n AS (
                INSERT INTO notifications (user_id, sender_id, modseq, title, channels, status, visible_at)
                SELECT :id, :id, modseq, 'x', '{inbox,email}', 'failed', now() FROM box RETURNING id
            ), d AS (
                INSERT INTO deliveries (notification_id, user_id, lane, status) SELECT id, :id, 1, 'failed' FROM n
            )
            SELECT id FROM n
        """)
        async with self.given.db.begin() as tx:
            return int(await tx.scalar(made, {"id": owner}))

    async def broadcast(self) -> int:
        made = text("""
            WITH clock AS (UPDATE broadcast_clock SET modseq = modseq + 1 RETURNING modseq)
            INSERT INTO notifications (modseq, title, channels, visible_at)
            SELECT modseq, 'x', '{inbox}', now() FROM clock RETURNING id
        """)
        async with self.given.db.begin() as tx:
            return int(await tx.scalar(made))

    async def schedule(self, owner: int) -> int:
        made = text("""
            INSERT INTO schedules (owner_id, name, cron, time_zone, title, content, priority, tags, channels,
                                   enabled, late_policy, grace_seconds)
            VALUES (:id, :name, '@daily', 'UTC', 'x', '', 3, '{}', '{inbox}', true, 'skip', 3600) RETURNING id
        """)
        async with self.given.db.begin() as tx:
            return int(await tx.scalar(made, {"id": owner, "name": uuid4().hex}))

    async def suppression(self) -> int:
        made = text("INSERT INTO suppressions (address, scope, reason) VALUES (:it, 'all', 'manual') RETURNING id")
        async with self.given.db.begin() as tx:
            return int(await tx.scalar(made, {"it": f"{uuid4().hex}@example.com"}))

    async def invitation(self) -> int:
        async with self.given.db.begin() as tx:
            mail = await self.given.mails.write(tx, MailKind.INVITE, email=f"{uuid4().hex}@example.com", language="en")
            await invitations.pend(tx, mail, role=Role.MEMBER)
        return mail

    async def path(self, template: str, owner: int) -> str:
        """The path of a route, with things of this owner's in it."""
        make: dict[str, Callable[[], Awaitable[int]]] = {
            "notification_id": self.broadcast if "broadcasts" in template else lambda: self.notification(owner),
            "schedule_id": lambda: self.schedule(owner),
            "session_id": lambda: self.session(owner),
            "suppression_id": self.suppression,
            "user": lambda: self.user(Role.MEMBER),
            "user_id": lambda: self.user(Role.MEMBER),
            "invitation_id": self.invitation,
        }
        for name in PLACES:
            if f"{{{name}}}" in template:
                thing = (await self.key(owner, (KeyScope.READ,)))[0] if name == "key_id" else await make[name]()
                template = template.replace(f"{{{name}}}", str(thing))
        return template


@pytest.fixture
def settings(settings: Settings, tmp_path: Any) -> Settings:
    return msgspec.structs.replace(settings, mail_catcher_dir=str(tmp_path))


async def test_the_table_names_every_route_and_no_other(belfry: Serving) -> None:
    assert set(operations(await the_document(belfry))) == set(ACCESS)


@pytest.mark.parametrize("visitor", VISITORS, ids=lambda visitor: visitor.name)
async def test_every_route_keeps_to_the_table(belfry: Serving, visitor: Visitor) -> None:
    stage, surprises = Stage(belfry), []
    async with httpx.AsyncClient(base_url=belfry.url, timeout=10) as client:
        for (method, template), operation in operations(await the_document(belfry)).items():
            me = await stage.user(visitor.role or Role.MEMBER)
            path = await stage.path(template, me if visitor.owns else await stage.user(Role.SENDER))
            headers = {"authorization": f"Bearer {await stage.credential(visitor, me)}"} if visitor.role else {}
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("example")
            if body and "to" in body:  # the example's recipient is not here, and a member may write to nobody else
                body["to"] = [me] if isinstance(body["to"], list) else me
            query = {"poll": "1"} if template == "/v1/stream" else {}
            answer = await client.request(method, path, params=query, json=body, headers=headers)
            refused = expected(ACCESS[method, template], visitor)
            got = answer.status_code if answer.status_code in (401, 403, 404, 500) else None
            if ACCESS[method, template].who is Who.ANYBODY and got == 401:
                got = None  # the example's password is not anybody's
            if got != refused:
                surprises.append((method, template, refused, answer.status_code, answer.text[:200]))

    assert surprises == []
