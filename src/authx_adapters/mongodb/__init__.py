"""Users and a cache in MongoDB, through PyMongo's `Database` or `AsyncDatabase`."""

from authx_adapters.mongodb.cache import MongoCache
from authx_adapters.mongodb.store import MongoUserStore

__all__ = ["MongoCache", "MongoUserStore"]
