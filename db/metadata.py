"""The schema as a whole: all tables, whichever module has them."""

from sqlalchemy import MetaData

from db import audit, credentials, mail_models, models, schedules

__all__ = ["TABLES", "metadata"]

TABLES = (models, credentials, mail_models, schedules, audit)  # importing them puts them into the metadata
metadata: MetaData = models.User.metadata
