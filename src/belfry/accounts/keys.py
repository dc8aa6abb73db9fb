"""API keys, for programs: each acts for its owner, within its scopes and never beyond the owner's role."""

import ipaddress
from datetime import UTC, datetime

from belfry.accounts.tokens import KEY_PREFIX, Tokens, fingerprint, opaque
from belfry.errors import BadInput, Conflict, FieldError, Forbidden, NotFound, Unauthenticated
from db import Tx
from db.models import Action, KeyScope, Role
from db.queries import api_keys, audit, users
from db.queries.api_keys import ApiKeyItem
from db.queries.sessions import Principal
from db.queries.users import Account

MOST = 100  # a user
# What a key can never do beyond its owner: an admin may look into the place, and others into no inbox but their own.
ROLES = {KeyScope.BROADCAST: (Role.SENDER, Role.ADMIN), KeyScope.ACT_AS: (Role.ADMIN,)}
AS_SOMEBODY = (KeyScope.READ, KeyScope.MARK, KeyScope.STREAM)


async def create(
    tx: Tx, owner: Principal, *, name: str, scopes: list[KeyScope], networks: list[str], expires_at: datetime | None
) -> tuple[str, ApiKeyItem]:
    """Make a key: what to show once, and how it stands in the list.

    Raises:
        BadInput: a scope its owner's role does not have, a network that is none, an end that is over.
        Conflict: the owner has too many.
    """
    for at, scope in enumerate(scopes):
        roles = ROLES.get(scope, tuple(Role))
        if owner.role not in roles:
            raise BadInput(FieldError(f"scopes[{at}]", f"needs the role {' or '.join(roles)}; yours is {owner.role}"))
    if expires_at is not None and expires_at <= datetime.now(UTC):
        raise BadInput(FieldError("expires_at", "expected a moment in the future"))
    key = opaque(KEY_PREFIX)
    made = await api_keys.make(
        tx,
        owner.user_id,
        name=name,
        token_hash=fingerprint(key),
        scopes=sorted(set(scopes)),
        networks=[_network(f"networks[{at}]", each) for at, each in enumerate(networks)],
        expires_at=expires_at,
        most=MOST,
    )
    if made is None:
        raise Conflict(f"You have {MOST} API keys already. Revoke one that is not used any more.")
    detail = {"name": name, "scopes": made.scopes, "networks": made.networks, "expires_at": expires_at}
    await audit.record(tx, Action.KEY_CREATED, actor=owner, subject=f"API key {made.id}", **detail)
    return key, made


async def revoke(tx: Tx, owner: Principal, key_id: int) -> list[tuple[int, int]]:
    """End a key and what it issued. Returns user and session of each. Raises `NotFound`."""
    revoked = await api_keys.revoke(tx, key_id, user_id=owner.user_id)
    if revoked is None:
        raise NotFound("You have no such API key.")
    name, ended = revoked
    await audit.record(tx, Action.KEY_REVOKED, actor=owner, subject=f"API key {key_id}", name=name)
    return ended


async def act_as(tx: Tx, key: Principal, tokens: Tokens, *, whom: int | str, user_agent: str) -> tuple[str, Account]:
    """A token to read, mark and stream as somebody else, by id or e-mail address.

    Raises:
        NotFound: no such user, or a disabled one.
        Forbidden: an admin: what a page shows must never be what an admin can see.
        Unauthenticated: the key was revoked at this moment.
    """
    account = await (users.by_id(tx, whom) if isinstance(whom, int) else users.by_email(tx, whom))
    if account is None or account.disabled_at is not None:
        raise NotFound("There is no such user.")
    if account.role is Role.ADMIN:
        raise Forbidden("Nobody can act as an admin.")
    session_id = await api_keys.issue(
        tx, key, account.id, scopes=AS_SOMEBODY, user_agent=user_agent, seconds=tokens.seconds
    )
    if session_id is None:
        raise Unauthenticated("There is no such API key, or no longer.")
    await audit.record(tx, Action.ACTED_AS, actor=key, subject=account.email, key=key.session_id, session=session_id)
    return tokens.issue(user_id=account.id, session_id=session_id), account


def _network(field: str, value: str) -> str:
    try:
        return str(ipaddress.ip_network(value))
    except ValueError:
        raise BadInput(
            FieldError(field, "expected a network or an address, such as 192.0.2.0/24 or 2001:db8::7")
        ) from None
