"""Blocking ports for an event loop: one hop to a thread for each call."""

from authx_adapters.threaded.making import Threaded
from authx_adapters.threaded.ports import ThreadedCache, ThreadedHasher, ThreadedUserStore

__all__ = ["Threaded", "ThreadedCache", "ThreadedHasher", "ThreadedUserStore"]
