"""The three ports, served by threads."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from typing import Any, TypeVar, cast

from authx_adapters.threaded.threads import Threads
from authx_core import Cache, PasswordHasher, UserStore

_Operation = TypeVar("_Operation", bound=Callable[..., Any])


class OnThreads:
    """A port that is served by threads, and can be closed."""

    def __init__(self, threads: Threads) -> None:
        """Call the adapter of these threads; `Threaded` makes them."""
        self.threads = threads

    async def aclose(self) -> None:
        """End the threads, once their calls have ended or the timeout has passed; refuse more calls.

        An executor of the application is left to its owner.
        """
        await self.threads.aclose()

    def close(self) -> None:
        """Do the same where no event loop runs."""
        self.threads.close()


def _write(operation: _Operation) -> _Operation:
    return _hop(operation, reads=False)


def _read(operation: _Operation) -> _Operation:
    return _hop(operation, reads=True)


def _hop(operation: _Operation, *, reads: bool) -> _Operation:
    """Return the operation of a port as one hop to a thread."""
    name = operation.__name__

    async def call(port: OnThreads, /, *args: Any, **options: Any) -> Any:
        coroutine = getattr(port.threads.port, name)(*args, **options)
        del args, options  # so that no traceback with locals shows a password
        return await port.threads.call(name, coroutine, reads=reads)

    return cast("_Operation", update_wrapper(call, operation, updated=()))  # the port's own is marked as abstract


class ThreadedUserStore(OnThreads, UserStore):
    """A blocking `UserStore` for an event loop."""

    create = _write(UserStore.create)
    get = _read(UserStore.get)
    get_by_email = _read(UserStore.get_by_email)
    get_by_username = _read(UserStore.get_by_username)
    get_by_social = _read(UserStore.get_by_social)
    update = _write(UserStore.update)
    delete = _write(UserStore.delete)
    search = _read(UserStore.search)
    count = _read(UserStore.count)
    get_blackout = _read(UserStore.get_blackout)
    set_blackout = _write(UserStore.set_blackout)


class ThreadedCache(OnThreads, Cache):
    """A blocking `Cache` for an event loop."""

    get = _read(Cache.get)
    get_many = _read(Cache.get_many)
    set = _write(Cache.set)
    add = _write(Cache.add)
    pop = _write(Cache.pop)
    delete = _write(Cache.delete)
    increment = _write(Cache.increment)
    increment_many = _write(Cache.increment_many)


class ThreadedHasher(OnThreads, PasswordHasher):
    """A blocking `PasswordHasher` for an event loop."""

    hash = _write(PasswordHasher.hash)
    verify = _write(PasswordHasher.verify)
