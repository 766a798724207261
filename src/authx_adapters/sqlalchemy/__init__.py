"""Users and a cache in PostgreSQL, MariaDB and SQLite, through SQLAlchemy Core."""

from authx_adapters.sqlalchemy.cache import SQLAlchemyCache
from authx_adapters.sqlalchemy.schema import CacheSchema, Schema
from authx_adapters.sqlalchemy.store import SQLAlchemyUserStore

__all__ = ["CacheSchema", "SQLAlchemyCache", "SQLAlchemyUserStore", "Schema"]
