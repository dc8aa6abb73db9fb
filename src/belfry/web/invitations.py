"""Asking people in, for admins."""

import msgspec
from litestar import Controller, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from belfry.accounts import administration, registering
from belfry.accounts.mails import AccountMails
from belfry.intake import fields
from belfry.intake.fields import Body
from belfry.sending.bell import QueueBell
from belfry.settings import Settings
from belfry.web import parameters
from belfry.web.auth import recently
from belfry.web.problems import CHANGES, NEEDS_LOGIN, TAKES_JSON, documented
from db import Database
from db.models import Role
from db.queries import invitations
from db.queries.invitations import Invitation
from db.queries.paging import Paging
from db.queries.sessions import Principal


class NewInvitation(Body, frozen=True, kw_only=True):
    """`language` is that of the mail, and of the account unless another is chosen then."""

    email: fields.Email
    role: Role = Role.MEMBER
    language: fields.Language = "en"


class InvitationPage(msgspec.Struct, frozen=True):
    items: list[Invitation]
    next_cursor: int | None


class InvitationController(Controller):
    path = "/v1/invitations"
    tags = ["Users"]

    @get(responses=documented(*NEEDS_LOGIN, 403, 422), summary="List open invitations")
    async def list_page(
        self,
        db: NamedDependency[Database],
        paging: NamedDependency[Paging],
    ) -> InvitationPage:
        """Who was invited and has not accepted yet, newest first, with what became of the mail."""
        async with db.statement() as tx:
            found = await invitations.page(tx, paging)
        return InvitationPage(*paging.cut(found))

    @post(responses=documented(*NEEDS_LOGIN, *TAKES_JSON, CHANGES, 409), summary="Invite somebody")
    async def invite(
        self,
        data: JSONBody[NewInvitation],
        me: NamedDependency[Principal],
        db: NamedDependency[Database],
        mails: NamedDependency[AccountMails],
        settings: NamedDependency[Settings],
        bell: NamedDependency[QueueBell],
    ) -> Invitation:
        """Send a link that makes an account with a role. An earlier one to the same address does not work any more.

        For admins who showed their password a short while ago.
        """
        recently(me, settings)
        registering.admit(settings, invited=True)
        email = fields.address("email", data.email)
        async with db.begin() as tx:
            invitation = await administration.invite(
                tx, mails, by=me, email=email, role=data.role, language=data.language
            )
        bell.ring()
        return invitation

    @delete(
        "/{invitation_id:int}",
        status_code=204,
        responses=documented(*NEEDS_LOGIN, CHANGES, 404),
        summary="Take an invitation back",
    )
    async def revoke(
        self, invitation_id: FromPath[int], me: NamedDependency[Principal], db: NamedDependency[Database]
    ) -> None:
        """Its link does not work any more; if its mail has not been sent, it is not."""
        async with db.begin() as tx:
            await administration.revoke(tx, parameters.storable(invitation_id, "invitation"), by=me)
