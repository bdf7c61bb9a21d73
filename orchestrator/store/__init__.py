"""The tables and who writes them: SQLAlchemy Core, one writer."""
