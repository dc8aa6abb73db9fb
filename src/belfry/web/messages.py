"""The words of a message, as the routes that send take them."""

from belfry.web import fields
from belfry.web.fields import Body
from db.models import Channel
from db.queries.notifications import Message


class Words(Body, frozen=True, kw_only=True):
    """What is said, apart from to whom and how."""

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
