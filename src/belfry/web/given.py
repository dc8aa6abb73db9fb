"""What handlers may ask for by name, and how it is made."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec
from arq import ArqRedis
from litestar import Litestar, Request
from litestar.datastructures import State
from litestar.di import Provide
from redis.asyncio import Redis

from belfry.accounts.mails import AccountMails
from belfry.accounts.passwords import Passwords
from belfry.accounts.principals import Principals
from belfry.accounts.throttle import Throttle
from belfry.accounts.tokens import Tokens
from belfry.inbox.pages import PageCache, connect_pages
from belfry.mail.unsubscribe import UnsubscribeLinks
from belfry.rates import Rates
from belfry.realtime.announce import Announcer, connect_events
from belfry.realtime.live import Live
from belfry.realtime.presence import Presence, connect_presence
from belfry.sending.bell import QueueBell, connect_queue
from belfry.settings import Settings
from belfry.web import languages
from belfry.web.places import Places
from db import Database, connect
from db.queries.sessions import Principal


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a web process is made of; nothing is connected before `running`."""

    settings: Settings
    db: Database
    redis: Redis
    pubsub: Redis
    queue: ArqRedis
    whereabouts: Redis
    presence: Presence[int]
    live: Live
    announcer: Announcer
    bell: QueueBell
    cache: PageCache
    passwords: Passwords
    tokens: Tokens
    principals: Principals
    throttle: Throttle
    addresses: Presence[str]
    places: Places
    links: UnsubscribeLinks
    mails: AccountMails

    @classmethod
    def make(cls, settings: Settings) -> "Given":
        db = connect(settings.database_url, pool_size=settings.database_pool)
        redis = connect_pages(settings.redis_url)
        pubsub = connect_events(settings.pubsub_url)
        queue = connect_queue(settings.redis_url)
        whereabouts = connect_presence(settings.redis_url)
        presence = Presence(whereabouts, "presence", int)
        addresses = Presence(whereabouts, "place", str)
        tokens = Tokens(settings.secret_key, seconds=settings.access_token_seconds, old_key=settings.secret_key_old)
        return cls(
            settings=settings,
            db=db,
            redis=redis,
            pubsub=pubsub,
            queue=queue,
            whereabouts=whereabouts,
            presence=presence,
            live=Live(settings, db, pubsub, changed=presence.changed),
            announcer=Announcer(pubsub),
            bell=QueueBell(queue),
            cache=PageCache(redis, enabled=settings.page_cache),
            passwords=Passwords(),
            tokens=tokens,
            principals=Principals(db, tokens, settings),
            throttle=Throttle(Rates(whereabouts), settings),
            addresses=addresses,
            places=Places(settings.streams_per_address, addresses),
            links=UnsubscribeLinks(
                settings.secret_key, public_url=settings.public_url, old_key=settings.secret_key_old
            ),
            mails=AccountMails(settings),
        )

    @asynccontextmanager
    async def running(self, _: Litestar) -> AsyncIterator[None]:
        """Start what runs beside the requests, and end it in the opposite order."""
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self.db.close)
            for redis in (self.redis, self.pubsub, self.queue, self.whereabouts):
                stack.push_async_callback(redis.aclose)
            stack.callback(self.passwords.close)
            await stack.enter_async_context(self.bell)
            await stack.enter_async_context(self.announcer)
            await stack.enter_async_context(self.presence)
            await stack.enter_async_context(self.addresses)
            await stack.enter_async_context(self.live)
            yield

    def dependencies(self) -> dict[str, Provide]:
        return {
            "settings": Provide(lambda: self.settings, sync_to_thread=False),
            "db": Provide(lambda: self.db, sync_to_thread=False),
            "live": Provide(lambda: self.live, sync_to_thread=False),
            "presence": Provide(lambda: self.presence, sync_to_thread=False),
            "whereabouts": Provide(lambda: self.whereabouts, sync_to_thread=False),
            "mails": Provide(lambda: self.mails, sync_to_thread=False),
            "links": Provide(lambda: self.links, sync_to_thread=False),
            "announcer": Provide(lambda: self.announcer, sync_to_thread=False),
            "bell": Provide(lambda: self.bell, sync_to_thread=False),
            "cache": Provide(lambda: self.cache, sync_to_thread=False),
            "passwords": Provide(lambda: self.passwords, sync_to_thread=False),
            "throttle": Provide(lambda: self.throttle, sync_to_thread=False),
            "tokens": Provide(lambda: self.tokens, sync_to_thread=False),
            "me": Provide(_me, sync_to_thread=False),
            "language": Provide(_language, sync_to_thread=False),
        }


def _me(request: Request[Principal, None, State]) -> Principal:
    return request.user


def _language(request: Request[Principal, None, State]) -> str:
    return languages.asked(request)
