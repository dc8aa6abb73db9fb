"""Stands in for the `belfry` that `up` starts, so that these tests are about `up` alone; `up` itself is the real one.

Started by path. `web` answers every request with its process number.
"""

import asyncio
import os
import signal
import socket
import sys

import psycopg

from belfry.cli.up import say
from belfry.settings import environment
from belfry.up import supervisor


def up(web: str, workers: str) -> None:
    command = [sys.executable, __file__]
    asyncio.run(supervisor.run(environment(), web=int(web), workers=int(workers), say=say, command=command))


def migrate() -> None:
    with psycopg.connect(os.environ["BELFRY_DATABASE_URL"]) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS users (id serial, email text, role text, password text)")


def user(create: str, email: str, role_option: str, role: str, password_option: str) -> None:
    assert (create, role_option, password_option) == ("create", "--role", "--password-stdin")
    with psycopg.connect(os.environ["BELFRY_DATABASE_URL"]) as connection:
        values = (email, role, sys.stdin.readline().strip())
        connection.execute("INSERT INTO users (email, role, password) VALUES (%s, %s, %s)", values)


def worker() -> None:
    signal.pause()


def web(option: str, fd: str) -> None:
    assert option == "--fd"
    asyncio.run(serve(socket.socket(fileno=int(fd))))


async def serve(listener: socket.socket) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{os.getpid()}".encode())
        await writer.drain()
        writer.close()

    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with await asyncio.start_server(answer, sock=listener):
        await stop.wait()


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
