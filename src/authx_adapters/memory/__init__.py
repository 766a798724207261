"""Users and cache in this process's memory, for tests, scripts and single-process applications.

Both work from any number of threads and event loops, and neither ever suspends.
"""

from authx_adapters.memory.cache import MemoryCache
from authx_adapters.memory.store import MemoryUserStore

__all__ = ["MemoryCache", "MemoryUserStore"]
