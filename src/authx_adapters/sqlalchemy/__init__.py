"""Users in a relational database, through SQLAlchemy Core. SQLite is proved; other databases follow."""

from authx_adapters.sqlalchemy.schema import Schema
from authx_adapters.sqlalchemy.store import SQLAlchemyUserStore

__all__ = ["SQLAlchemyUserStore", "Schema"]
