"""When a password was forgotten."""

from litestar import Controller, Request, Response, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import JSONBody

from belfry.accounts import new_password
from belfry.accounts.mails import AccountMails
from belfry.accounts.passwords import Passwords
from belfry.accounts.throttle import Throttle
from belfry.intake import fields
from belfry.intake.fields import Body
from belfry.realtime.announce import Announcer
from belfry.realtime.frames import SessionEnded
from belfry.sending.bell import QueueBell
from belfry.settings import Settings
from belfry.web.auth import device_cookie
from belfry.web.identify import client_address
from belfry.web.me import MailSent
from belfry.web.problems import TAKES_JSON, documented
from belfry.web.throttling import limit_mails
from db import Database
from db.models import MailKind


class Forgotten(Body, frozen=True, kw_only=True):
    email: fields.Email


class PasswordByLink(Body, frozen=True, kw_only=True):
    token: fields.LinkToken
    password: fields.Password


class ForgottenController(Controller):
    path = "/v1/auth/password"
    tags = ["Accounts"]
    opt = {"exclude_from_auth": True}

    @post(
        "/forgot",
        status_code=202,
        responses=documented(*TAKES_JSON, 429, 503),
        summary="Forgot my password",
    )
    async def forgot(
        self,
        request: Request[None, None, State],
        data: JSONBody[Forgotten],
        db: NamedDependency[Database],
        mails: NamedDependency[AccountMails],
        bell: NamedDependency[QueueBell],
    ) -> Response[MailSent]:
        """Get a mail with a link to choose a new password. The answer is the same whoever has an account."""
        email = fields.address("email", data.email)
        told = await limit_mails(request, MailKind.RESET, email)
        await new_password.forgotten(db, mails, email)
        bell.ring()
        return Response(MailSent(email, mails.seconds(MailKind.RESET)), headers=told)

    @post(
        "/reset",
        status_code=204,
        responses=documented(*TAKES_JSON, 429, 503),
        summary="Choose a new password",
    )
    async def reset(
        self,
        request: Request[None, None, State],
        data: JSONBody[PasswordByLink],
        db: NamedDependency[Database],
        passwords: NamedDependency[Passwords],
        throttle: NamedDependency[Throttle],
        mails: NamedDependency[AccountMails],
        announcer: NamedDependency[Announcer],
        settings: NamedDependency[Settings],
        bell: NamedDependency[QueueBell],
    ) -> Response[None]:
        """Use the link of a mail to `#/reset/`. All logins end, with their streams.

        API keys stay, unless this is the first that shows whose the address is: then whoever made them is not known.
        """
        guess = throttle.guess_link(client_address(request.scope))
        done = await new_password.reset(db, passwords, throttle, mails, data.token, data.password, guess=guess)
        announcer.tell([SessionEnded(*each) for each in done.ended])
        bell.ring()
        return Response(None, cookies=[device_cookie(settings, throttle, done.user_id)])
