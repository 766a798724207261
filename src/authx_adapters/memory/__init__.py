"""Users and cache in this process's memory, for tests, scripts and single-process applications.

Both serve any number of threads and event loops, and never suspend.
"""

from authx_adapters.memory.cache import MemoryCache
from authx_adapters.memory.store import MemoryUserStore

__all__ = ["MemoryCache", "MemoryUserStore"]
