"""Every clause; importing this registers them."""

from authx_core.contract.clauses import (
    cache_lifetimes,
    cache_races,
    cache_values,
    clock,
    hasher,
    linear,
    users_delete,
    users_keys,
    users_search,
    users_shared,
    users_update,
    users_values,
)

__all__ = [
    "cache_lifetimes",
    "cache_races",
    "cache_values",
    "clock",
    "hasher",
    "linear",
    "users_delete",
    "users_keys",
    "users_search",
    "users_shared",
    "users_update",
    "users_values",
]
