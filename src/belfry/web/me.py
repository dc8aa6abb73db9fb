"""Who one is, and what one may change about that."""

import msgspec
from litestar import Controller, Request, Response, get, patch, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import UNSET, UnsetType

from belfry.accounts import addresses, new_password
from belfry.accounts.mails import AccountMails
from belfry.accounts.passwords import Passwords
from belfry.accounts.proving import prove
from belfry.accounts.throttle import Throttle
from belfry.errors import BadInput, FieldError, Unauthenticated
from belfry.intake import fields
from belfry.intake.fields import Body
from belfry.realtime.announce import Announcer
from belfry.realtime.frames import SessionEnded
from belfry.sending.bell import QueueBell
from belfry.settings import Settings
from belfry.web.identify import client_address
from belfry.web.problems import CHANGES, NEEDS_LOGIN, TAKES_JSON, documented
from belfry.web.throttling import limit_mails
from db import Database
from db.models import MailKind, Role
from db.queries import users
from db.queries.sessions import Principal
from db.queries.users import Account


class Myself(msgspec.Struct, frozen=True):
    """`email_verified`: the address has been shown to be one's own, by a link in a mail."""

    id: int
    email: str
    email_verified: bool
    display_name: str
    role: Role
    time_zone: str
    language: str


class MyChange(Body, frozen=True, kw_only=True):
    """What is left out stays."""

    display_name: fields.Name | UnsetType = UNSET
    language: fields.Language | UnsetType = UNSET
    time_zone: fields.TimeZone | UnsetType = UNSET


class NewPassword(Body, frozen=True, kw_only=True):
    current: fields.GivenPassword
    new: fields.Password


class NewAddress(Body, frozen=True, kw_only=True):
    email: fields.Email
    password: fields.GivenPassword


class MailSent(msgspec.Struct, frozen=True):
    """A mail with a link is on its way to an address, and the link works for `expires_in` seconds.

    Where nobody is to learn who has an account, that is said in any case.
    """

    email: str
    expires_in: int


class MeController(Controller):
    path = "/v1/me"
    tags = ["Accounts"]

    @get(responses=documented(*NEEDS_LOGIN, 403), summary="Who am I?")
    async def me(self, me: NamedDependency[Principal], db: NamedDependency[Database]) -> Myself:
        """The account that asks."""
        async with db.statement() as tx:
            account = await users.by_id(tx, me.user_id)
        return myself(_there(account))

    @patch(responses=documented(*NEEDS_LOGIN, *TAKES_JSON, CHANGES), summary="Change my settings")
    async def change(
        self, data: JSONBody[MyChange], me: NamedDependency[Principal], db: NamedDependency[Database]
    ) -> Myself:
        """Change the name others see, and the language and the clock of mails."""
        if data.time_zone is not UNSET:
            fields.known_time_zone("time_zone", data.time_zone)
        given = {name: value for name, value in msgspec.structs.asdict(data).items() if value is not UNSET}
        async with db.begin() as tx:
            account = await users.change(tx, me.user_id, **given)
        return myself(_there(account))

    @post(
        "/password",
        status_code=204,
        responses=documented(*NEEDS_LOGIN, *TAKES_JSON, CHANGES, 429),
        summary="Change my password",
    )
    async def change_password(
        self,
        request: Request[Principal, None, State],
        data: JSONBody[NewPassword],
        me: NamedDependency[Principal],
        db: NamedDependency[Database],
        passwords: NamedDependency[Passwords],
        throttle: NamedDependency[Throttle],
        mails: NamedDependency[AccountMails],
        announcer: NamedDependency[Announcer],
        bell: NamedDependency[QueueBell],
    ) -> None:
        """Set a new password. All other logins end, with their streams; API keys stay. A mail says that it was done."""
        address = client_address(request.scope)
        ended = await new_password.change(
            db, passwords, throttle, mails, me, address=address, current=data.current, new=data.new
        )
        announcer.tell([SessionEnded(me.user_id, session_id) for session_id in ended])
        bell.ring()

    @post(
        "/email",
        status_code=202,
        responses=documented(*NEEDS_LOGIN, *TAKES_JSON, CHANGES, 409, 429),
        summary="Change my e-mail address",
    )
    async def change_address(
        self,
        request: Request[Principal, None, State],
        data: JSONBody[NewAddress],
        me: NamedDependency[Principal],
        db: NamedDependency[Database],
        passwords: NamedDependency[Passwords],
        throttle: NamedDependency[Throttle],
        mails: NamedDependency[AccountMails],
        settings: NamedDependency[Settings],
        bell: NamedDependency[QueueBell],
    ) -> Response[MailSent]:
        """Ask for another address. It is changed when the link sent to it is used, and then the old one is told.

        409 where somebody has that address; where addresses must be verified, only its owner learns of it.
        """
        email = fields.address("email", data.email)
        if email.lower() == me.email.lower():
            raise BadInput(FieldError("email", "this is your address already"))
        proven = await prove(db, passwords, throttle, me, data.password)
        told = await limit_mails(request, MailKind.ADDRESS, email)
        await addresses.change(db, mails, settings, me, proven, email=email)
        bell.ring()
        return Response(MailSent(email, mails.seconds(MailKind.ADDRESS)), headers=told)

    @post(
        "/email/verify",
        status_code=202,
        responses=documented(*NEEDS_LOGIN, CHANGES, 409, 429),
        summary="Verify my e-mail address",
    )
    async def verify_address(
        self,
        request: Request[Principal, None, State],
        me: NamedDependency[Principal],
        db: NamedDependency[Database],
        throttle: NamedDependency[Throttle],
        mails: NamedDependency[AccountMails],
        bell: NamedDependency[QueueBell],
    ) -> Response[MailSent]:
        """Get a mail with a link that shows that one's address is one's own. 409 if that is known already."""
        told = await throttle.mail(MailKind.VERIFY, me.user_id, client_address(request.scope))
        await addresses.prove_own(db, mails, me)
        bell.ring()
        return Response(MailSent(me.email, mails.seconds(MailKind.VERIFY)), headers=told)


def _there(account: Account | None) -> Account:
    """Raises `Unauthenticated` if the account was deleted since the request came in."""
    if account is None:
        raise Unauthenticated("The account was deleted.")
    return account


def myself(account: Account) -> Myself:
    return Myself(
        id=account.id,
        email=account.email,
        email_verified=account.email_verified_at is not None,
        display_name=account.display_name,
        role=account.role,
        time_zone=account.time_zone,
        language=account.language,
    )
