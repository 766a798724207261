"""What every cache promises: its values, lifetimes, errors and races."""

from __future__ import annotations

from authx_core.contract.cache_lifetimes import CacheLifetimes
from authx_core.contract.cache_races import CacheRaces
from authx_core.contract.cache_values import CacheValues


class CacheContract(CacheValues, CacheLifetimes, CacheRaces):
    """Clauses for a `Cache`."""
