"""The database backend: PostgreSQL, and where no DATABASE_URL names one, the embedded server (see keeper.py)."""
