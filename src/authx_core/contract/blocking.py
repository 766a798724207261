"""The blocking promise: an adapter whose coroutines never suspend."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, TypeVar, cast

from authx_core.blocking import run

P = TypeVar("P")


class NeverSuspends:
    """A port whose every call runs to its end at once; `Suspended` if it wanted to wait."""

    def __init__(self, port: object) -> None:
        self._port = port

    def __repr__(self) -> str:
        return repr(self._port)

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._port, name)
        return _at_once(member) if iscoroutinefunction(member) else member


def never_suspends(port: P) -> P:
    """Hand on every call of a port, and prove that it never suspends: the promise of a blocking adapter."""
    return cast("P", NeverSuspends(port))


def _at_once(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    async def call(*args: object, **kwargs: object) -> object:
        return run(method(*args, **kwargs))

    return call


def unwrapped(port: object) -> object:
    """Return the adapter itself, if it was handed to `never_suspends`."""
    return vars(port)["_port"] if isinstance(port, NeverSuspends) else port
