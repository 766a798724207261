"""Users and cache in this process's memory, for tests, scripts and single-process applications.

Both work from any number of threads and event loops, and neither ever suspends.
"""

from authx_adapters._memory_cache import MemoryCache
from authx_adapters._memory_users import MemoryUserStore

__all__ = ["MemoryCache", "MemoryUserStore"]
