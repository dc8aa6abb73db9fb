"""What was committed by a process that could tell nobody: the rows, and the messages it would have published."""

from datetime import UTC, datetime, timedelta

from redis.asyncio import Redis
from sqlalchemy import text

from belfry.realtime import frames
from belfry.realtime.frames import BroadcastChanged
from belfry.sending import publish
from db import Database, Tx
from db.models import Role
from db.queries.notifications import Message
from db.queries.sessions import Principal
from tests.people import Person


def says(title: str) -> Message:
    return Message(title=title, content="", link=None, priority=3, tags=[], channels=["inbox"])


def _sender(person: Person) -> Principal:
    later = datetime.now(UTC) + timedelta(days=1)
    return Principal(person.id, person.email, "", Role.SENDER, 0, later, later)


async def sent(db: Database, sender: Person, to: Person, title: str = "unannounced") -> frames.Message:
    async with db.begin() as tx:
        return await sent_in(tx, sender, to, title)


async def sent_in(tx: Tx, sender: Person, to: Person, title: str) -> frames.Message:
    published = await publish.publish(tx, says(title), to=[to.id], sender=_sender(sender))
    return published.messages[0]


async def broadcast(db: Database, sender: Person, title: str = "unannounced") -> BroadcastChanged:
    async with db.begin() as tx:
        published = await publish.publish_broadcast(tx, says(title), sender=_sender(sender))
    [message] = published.messages
    assert isinstance(message, BroadcastChanged)
    return message


async def removed(db: Database, notification_id: int) -> BroadcastChanged:
    """A broadcast taken away as retention does it: the rows go, the floor rises to the number of the removal."""
    async with db.begin() as tx:
        number = await tx.scalar(
            text("UPDATE broadcast_clock SET modseq = modseq + 1, floor = modseq + 1 RETURNING modseq")
        )
        await tx.execute(text("DELETE FROM notifications WHERE id = :id"), {"id": notification_id})
    return BroadcastChanged(int(number or 0), False, [frames.state("deleted", [notification_id])])


async def announce(redis_url: str, *messages: frames.Message) -> None:
    async with Redis.from_url(redis_url) as redis:
        for message in messages:
            await redis.publish(frames.channel(message), frames.pack(message))
