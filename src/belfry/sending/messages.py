"""What is to be said, as whoever says it words it: in a request, in a job, on the command line."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec
from msgspec import Meta

from belfry.errors import BadInput, FieldError
from belfry.intake import fields
from belfry.intake.fields import Body
from db.models import Channel
from db.queries.notifications import Message

FURTHEST = timedelta(days=365)

SendAt = Annotated[fields.Moment, Meta(description="When it is to arrive, at most a year ahead; the past means now")]
ExpiresAt = Annotated[fields.Moment, Meta(description="No e-mail is sent after this; it stays in the inbox")]


class Words(Body, frozen=True, kw_only=True):
    """What is said, apart from to whom, how and when."""

    title: fields.Title
    content: fields.Content = ""
    link: fields.Link | None = None
    priority: fields.Priority = 3
    tags: fields.Tags = []

    def message(self, channels: list[Channel]) -> Message:
        return Message(
            title=self.title,
            content=self.content,
            link=self.link,
            priority=self.priority,
            tags=list(dict.fromkeys(self.tags)),
            channels=list(dict.fromkeys(channels)),
        )


class TimedWords(Words, frozen=True, kw_only=True):
    """What is said, and when."""

    send_at: SendAt | None = None
    expires_at: ExpiresAt | None = None

    def message(self, channels: list[Channel]) -> Message:
        """Raises `BadInput` for times that make no sense."""
        send_at, expires_at = self._times(datetime.now(UTC))
        return msgspec.structs.replace(super().message(channels), send_at=send_at, expires_at=expires_at)

    def _times(self, now: datetime) -> tuple[datetime | None, datetime | None]:
        """`send_at` if it is to come, and `expires_at`."""
        send_at = self.send_at and fields.utc("send_at", self.send_at)
        expires_at = self.expires_at and fields.utc("expires_at", self.expires_at)
        if send_at is not None and send_at <= now:
            send_at = None
        if send_at is not None and send_at > now + FURTHEST:
            raise BadInput(FieldError("send_at", f"must be at most {FURTHEST.days} days ahead"))
        if expires_at is not None and expires_at <= (send_at or now):
            raise BadInput(
                FieldError("expires_at", f"must be after {'`send_at`' if send_at else 'the present moment'}")
            )
        return send_at, expires_at


class NewBroadcast(TimedWords, frozen=True, kw_only=True):
    channels: fields.Channels = msgspec.field(default_factory=lambda: [Channel.INBOX])


class NamedBroadcast(NewBroadcast, frozen=True, kw_only=True):
    """A broadcast from a job or a command, which have no login and so name their sender by e-mail address."""

    sender: fields.Email | None = None
