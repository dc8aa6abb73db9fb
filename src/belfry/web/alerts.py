"""Transient desktop alerts: shown where a stream is open at this moment, stored nowhere."""

from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import uuid4

from litestar import Controller, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Meta

from belfry.intake import fields
from belfry.intake.fields import Body
from belfry.realtime import frames
from belfry.realtime.announce import Announcer
from belfry.realtime.frames import Alert, Alerted
from belfry.sending import publish
from belfry.web.problems import CHANGES, NEEDS_LOGIN, TAKES_JSON, documented
from belfry.web.throttling import limit_sends
from db import Database
from db.queries.sessions import Principal

EVERYONE: Literal["everyone"] = "everyone"


class NewAlert(Body, frozen=True, kw_only=True):
    to: Annotated[
        fields.Id | Annotated[str, Meta(min_length=3, max_length=254)],
        Meta(description="A user's id or e-mail address, or `everyone`"),
    ]
    title: fields.Title
    content: fields.Content = ""
    link: fields.Link | None = None


class AlertController(Controller):
    path = "/v1/alerts"
    tags = ["Alerts"]

    @post(
        status_code=202,
        middleware=[limit_sends],
        responses=documented(*NEEDS_LOGIN, *TAKES_JSON, CHANGES, 429),
        summary="Alert",
    )
    async def alert(
        self,
        data: JSONBody[NewAlert],
        me: NamedDependency[Principal],
        db: NamedDependency[Database],
        announcer: NamedDependency[Announcer],
    ) -> Alert:
        """Show an alert on the screens that are open now. 503 if it could not be passed on."""
        to: int | None = None
        if data.to == EVERYONE:
            publish.may_send_to_others(me)
        else:
            async with db.statement() as tx:
                to = await publish.recipient(tx, data.to, sender=me)
        alert = Alert(uuid4().hex, None, data.title, data.content, data.link, datetime.now(UTC))
        await announcer.alert(Alerted(to, frames.desktop(alert)))
        return alert
