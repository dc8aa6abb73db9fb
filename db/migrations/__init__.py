"""Alembic migrations. `belfry migrate` runs them; each is one file in `versions/`."""
