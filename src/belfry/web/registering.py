"""Making an account, and what the links of mails are for."""

from datetime import datetime
from typing import Any

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import JSONBody

from belfry.accounts import addresses, opening, registering
from belfry.accounts import passwords as limits
from belfry.accounts.addresses import Verified
from belfry.accounts.links import INVITING, PAGES, RESETTING, VERIFYING, Page
from belfry.accounts.mails import AccountMails
from belfry.accounts.passwords import Passwords
from belfry.accounts.registering import NewUser
from belfry.accounts.throttle import Throttle
from belfry.intake import fields
from belfry.intake.fields import Body
from belfry.sending.bell import QueueBell
from belfry.settings import Registration, Settings
from belfry.web.identify import client_address
from belfry.web.me import MailSent, Myself, myself
from belfry.web.problems import TAKES_JSON, documented
from belfry.web.throttling import limit_mails, limit_registrations
from db import Database
from db.models import MailKind, Role

Anonymous = Request[None, None, State]


class NewAccount(Body, frozen=True, kw_only=True):
    email: fields.Email
    password: fields.Password
    display_name: fields.Name | None = None
    language: fields.Language = "en"
    time_zone: fields.TimeZone = "UTC"


class Acceptance(Body, frozen=True, kw_only=True):
    """`language` is that of the invitation, if none is given."""

    token: fields.LinkToken
    password: fields.Password
    display_name: fields.Name | None = None
    language: fields.Language | None = None
    time_zone: fields.TimeZone = "UTC"


class GivenLink(Body, frozen=True, kw_only=True):
    token: fields.LinkToken


class Proof(GivenLink, frozen=True, kw_only=True):
    """`password` is that of the account which is to have the address."""

    password: fields.GivenPassword


class LinkPurpose(msgspec.Struct, frozen=True):
    """What a link is for, and whose. `role` and `invited_by` are an invitation's."""

    purpose: Page
    email: str
    expires_at: datetime
    role: Role | None
    invited_by: str | None


class Rules(msgspec.Struct, frozen=True):
    """What a page should know before somebody has an account. Where mail is caught, `/dev/mail` shows it to admins."""

    registration: Registration
    verified_email_required: bool
    shortest_password: int
    longest_password: int
    mail_is_caught: bool


class RegisteringController(Controller):
    path = "/v1/auth"
    tags = ["Accounts"]
    opt = {"exclude_from_auth": True}

    @get("/rules", responses=documented(503), summary="Who may have an account?")
    async def rules(self, settings: NamedDependency[Settings]) -> Rules:
        """How accounts are made here, and how long passwords may be."""
        return Rules(
            settings.registration,
            settings.require_verified_email,
            limits.SHORTEST,
            limits.LONGEST,
            bool(settings.mail_catcher_dir),
        )

    @post(
        "/register",
        middleware=[limit_registrations],
        responses={
            202: ResponseSpec(MailSent, description="Where addresses must be verified: always", generate_examples=False)
        }
        | documented(*TAKES_JSON, 403, 409, 429, 503),
        summary="Register",
    )
    async def register(
        self,
        request: Anonymous,
        data: JSONBody[NewAccount],
        db: NamedDependency[Database],
        passwords: NamedDependency[Passwords],
        mails: NamedDependency[AccountMails],
        settings: NamedDependency[Settings],
        bell: NamedDependency[QueueBell],
    ) -> Response[Myself]:
        """Make an account. It is a member: it can send to itself, and receive.

        Where addresses must be verified, the answer is 202 whoever has an account, and the account is made when the
        link in the mail is used.
        """
        registering.admit(settings)
        fields.known_time_zone("time_zone", data.time_zone)
        new = NewUser(
            email=fields.address("email", data.email),
            display_name=data.display_name or "",
            language=data.language,
            time_zone=data.time_zone,
        )
        if not settings.require_verified_email:
            return Response(myself(await registering.register(db, passwords, new, data.password)))
        told = await limit_mails(request, MailKind.REGISTER, new.email)
        await registering.request(db, passwords, mails, new, data.password)
        bell.ring()
        sent = MailSent(new.email, mails.seconds(MailKind.REGISTER))
        on_its_way: Response[Any] = Response(sent, status_code=202, headers=told)
        return on_its_way

    @post(
        "/email/verify",
        status_code=200,
        responses=documented(*TAKES_JSON, 403, 409, 429, 503),
        summary="Verify an e-mail address",
    )
    async def verify(
        self,
        request: Anonymous,
        data: JSONBody[Proof],
        db: NamedDependency[Database],
        passwords: NamedDependency[Passwords],
        throttle: NamedDependency[Throttle],
        mails: NamedDependency[AccountMails],
        settings: NamedDependency[Settings],
        bell: NamedDependency[QueueBell],
    ) -> Verified:
        """Use the link of a mail to `#/verify/`: of a registration, of an address to verify, or of a new one.

        It takes the account's password as well: nobody confirms an account that somebody else made with their address.
        """
        address = client_address(request.scope)
        verified = await addresses.verify(
            db, passwords, throttle, mails, settings, data.token, data.password, address=address
        )
        bell.ring()
        return verified

    @post("/link", status_code=200, responses=documented(*TAKES_JSON, 429, 503), summary="What is this link for?")
    async def look(
        self,
        request: Anonymous,
        data: JSONBody[GivenLink],
        db: NamedDependency[Database],
        throttle: NamedDependency[Throttle],
    ) -> LinkPurpose:
        """Look at the link of a mail without using it, to show whose it is."""
        guess = throttle.guess_link(client_address(request.scope))
        link = await opening.look(db, throttle, data.token, (*VERIFYING, *RESETTING, *INVITING), guess=guess)
        return LinkPurpose(PAGES[link.kind], link.email, link.expires_at, link.role, link.invited_by)

    @post("/invitation", responses=documented(*TAKES_JSON, 403, 409, 429, 503), summary="Accept an invitation")
    async def accept(
        self,
        request: Anonymous,
        data: JSONBody[Acceptance],
        db: NamedDependency[Database],
        passwords: NamedDependency[Passwords],
        throttle: NamedDependency[Throttle],
        settings: NamedDependency[Settings],
    ) -> Myself:
        """Make the account that the link of a mail to `#/invite/` invites to. Its address is verified by that."""
        registering.admit(settings, invited=True)
        fields.known_time_zone("time_zone", data.time_zone)
        account = await registering.accept(
            db,
            passwords,
            throttle,
            data.token,
            data.password,
            guess=throttle.guess_link(client_address(request.scope)),
            display_name=data.display_name or "",
            language=data.language,
            time_zone=data.time_zone,
        )
        return myself(account)
