"""Imports that need an extra, and so are made on demand: an engine's opener and the default hasher."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Final

from authx_adapters.common.address import brief, scheme
from authx_adapters.common.opening import Opener, Opening
from authx_adapters.threaded import Threaded
from authx_core import InvalidValue, PasswordHasher, Problem
from authx_core.domain.secret import Secret

_ENGINES: Final[Mapping[str, str]] = {
    "memory": "memory",
    "mongodb": "mongodb",
    "mongodb+srv": "mongodb",
    "redis": "redis",
    "rediss": "redis",
    "unix": "redis",
    "redis+socket": "redis",
    "redis+cluster": "redis",
    "rediss+cluster": "redis",
    "redis+sentinel": "redis",
    "rediss+sentinel": "redis",
}
"""The folder of each engine, which is also the name of its extra."""
_RELATIONAL: Final[Mapping[str, str]] = {
    "sqlite": "sqlalchemy",
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "mariadb": "mariadb",
    "mysql": "mariadb",
}
"""The extra of each relational database, whose scheme may go on with the name of a driver."""
_KEEPS_NO_USERS: Final = "redis"
_USERS: Final = "memory://, sqlite:///file, postgresql://host/db, mariadb://host/db, mongodb://host/db"
_ENTRIES: Final = "redis://host, unix:///socket, redis+cluster://host, redis+sentinel://host/service"
_PLACES: Final = {"url": _USERS, "cache_url": f"{_USERS}, {_ENTRIES}"}


def opener(url: Secret, field: str, opening: Opening) -> Opener:
    """Return the opener for a URL, which the argument ``field`` of `connect` gave.

    Raises `InvalidValue` for an unknown scheme, an impossible URL, and a driver that is not installed.
    """
    name = scheme(url)
    engine, extra = _found(name)
    if engine is None or (field == "url" and engine == _KEEPS_NO_USERS):
        named = f"says {brief(name)}, but " if name else ""
        raise InvalidValue(Problem(field, "unsupported", f"{named}must be one of {_PLACES[field]}"))
    with _installed(extra, field):
        found: Opener = import_module(f"authx_adapters.{engine}.opening").Opener(url, field, opening)
    return found


def hasher(opening: Opening, timeout: float) -> PasswordHasher:
    """Return the default hasher: for asynchronous callers in two threads.

    Raises `InvalidValue` if passlib is not installed.
    """
    with _installed("passlib", "hasher"):
        blocking: PasswordHasher = import_module("authx_adapters.passlib").PasslibHasher()
    if opening.blocking:
        return blocking
    threaded = Threaded(blocking, workers=2, queue=64, timeout=timeout)
    opening.close_at_the_end(threaded.aclose)
    return threaded


def _found(name: str) -> tuple[str | None, str]:
    """Return the folder of an engine and its extra; no folder for an unknown scheme."""
    if extra := _RELATIONAL.get(name.partition("+")[0]):
        return "sqlalchemy", extra
    engine = _ENGINES.get(name)
    return engine, engine or ""


@contextmanager
def _installed(extra: str, field: str) -> Generator[None, None, None]:
    try:
        yield
    except ImportError as error:
        reason = f"needs a package that is not installed: pip install 'authx-users[{extra}]'"
        raise InvalidValue(Problem(field, "missing_driver", reason)) from error
