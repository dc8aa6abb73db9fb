"""What Belfry is compared with: the least a Litestar handler can do that keeps a promise, one committed row.

It has the driver, the pool and uvicorn's settings of Belfry, its INSERT commits by itself, and there is nothing else:
nobody is asked who they are, and nobody is told. Run as `python -m tests.bench.bare --fd N`.
"""

import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import uvicorn
from litestar import Litestar, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import JSONBody
from sqlalchemy import text

from belfry.server import uvicorn_config
from belfry.settings import Settings
from db import Database, connect

TABLE = "CREATE TABLE IF NOT EXISTS bare (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, title text NOT NULL)"
INSERT = text("INSERT INTO bare (title) VALUES (:title) RETURNING id")


class Row(msgspec.Struct):
    title: str


class Inserted(msgspec.Struct):
    id: int


@post("/rows", status_code=202)
async def insert(data: JSONBody[Row], db: NamedDependency[Database]) -> Inserted:
    async with db.statement() as tx:
        row = await tx.scalar(INSERT, {"title": data.title})
    return Inserted(row)


@get("/health/ready")
async def ready(db: NamedDependency[Database]) -> None:
    async with db.statement() as tx:
        await tx.execute(text(TABLE))


def create_app(settings: Settings) -> Litestar:
    db = connect(settings.database_url, pool_size=settings.database_pool)

    @asynccontextmanager
    async def running(_: Litestar) -> AsyncIterator[None]:
        yield
        await db.close()

    return Litestar(
        [insert, ready],
        dependencies={"db": Provide(lambda: db, sync_to_thread=False)},
        lifespan=[running],
        logging_config=None,
        openapi_config=None,
    )


def main(fd: int) -> None:
    settings = Settings.from_env()
    config = uvicorn_config(create_app(settings), host=settings.host, port=settings.port)
    uvicorn.Server(config).run([socket.socket(fileno=fd)])


if __name__ == "__main__":
    main(int(sys.argv[-1]))
