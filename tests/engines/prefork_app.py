"""An application that opens its clients on import, for servers that import it and then fork.

``AUTHX_SPACES`` holds the URL for each driver, as JSON.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from typing import Any

from authx_adapters.clock import SystemClock
from authx_core import run
from engines.drivers import DRIVERS, Driver
from engines.numbers import connections


class Target:
    """A client and its port: a user store if the engine has one, otherwise a cache."""

    def __init__(self, driver: Driver, url: str) -> None:
        self.client = driver.open(url.partition("#")[0])
        self.port: Any = (
            driver.users(self.client, url) if driver.keeps_users else driver.cache(self.client, url, SystemClock())
        )
        self.inherited = {*connections(self.client)}

    def read(self, key: str) -> tuple[str, list[str]]:
        """Return the id of the user found, or the value of a cache, and the numbers of the connections."""
        found = run(self.port.get(key))
        own = connections(self.client)
        assert self.inherited.isdisjoint(own)
        return str(getattr(found, "id", found)), own


targets = {name: Target(DRIVERS[name], url) for name, url in json.loads(os.environ["AUTHX_SPACES"]).items()}


def ask(driver: str, key: str) -> tuple[str, list[str], int]:
    """Return the result for a driver, the numbers of its connections, and this process's id."""
    return *targets[driver].read(key), os.getpid()


def application(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    """Answer ``/driver/key`` with the result of `ask`, as JSON."""
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(ask(*environ["PATH_INFO"][1:].split("/"))).encode()]
