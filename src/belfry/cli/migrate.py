"""`belfry migrate`."""

import rich_click as click


@click.command("migrate")
def command() -> None:
    """Bring the database to the newest schema. Safe to repeat, and to run from several machines at once."""
    from belfry.cli.settings import read_settings
    from db import connect
    from db.migrate import newest_revision, upgrade

    db = connect(read_settings().database_url)
    upgrade(db, say=print)
    print(f"The database is at revision {newest_revision(db)}.")
