"""`belfry web`."""

import rich_click as click


@click.command("web")
@click.option("--host", help="Address to listen on; default BELFRY_HOST, 127.0.0.1.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; default BELFRY_PORT, 8000.")
@click.option("--fd", type=int, help="Serve on this listening socket, inherited from the parent process.")
def command(host: str | None, port: int | None, fd: int | None) -> None:
    """Serve HTTP and streams.

    Any number of web processes may run beside each other; they share PostgreSQL and Redis, and nothing else.
    """
    import socket
    import sys

    from belfry import log
    from belfry.cli.settings import read_settings
    from belfry.server import serve
    from belfry.settings import SettingsError

    log.configure()
    settings = read_settings(host=host, port=port)
    log.configure(hide=settings.secrets)
    try:
        serve(settings, [socket.socket(fileno=fd)] if fd is not None else None)
    except SettingsError as error:
        sys.exit(str(error))
