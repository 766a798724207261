"""The blocking promise: an adapter whose coroutines never suspend."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial, wraps
from inspect import iscoroutinefunction
from typing import Any, TypeAlias, TypeVar, cast

from authx_contract.basics.threads import in_thread
from authx_contract.basics.violation import CannotRun
from authx_core.blocking import run

P = TypeVar("P")

Use: TypeAlias = Callable[[P], Coroutine[Any, Any, None]]
"""A few calls of a port."""


class NeverSuspends:
    """A port whose calls run to the end without suspending; a call that suspends raises `Suspended`."""

    def __init__(self, port: object) -> None:
        self._port = port

    def __repr__(self) -> str:
        return repr(self._port)

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._port, name)
        return _at_once(member) if iscoroutinefunction(member) else member


def never_suspends(port: P) -> P:
    """Wrap a port, and check on every call that it never suspends: the promise of a blocking adapter."""
    return cast("P", NeverSuspends(port))


def _at_once(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    async def call(*args: object, **kwargs: object) -> object:
        return run(method(*args, **kwargs))

    return call


def unwrapped(port: object) -> object:
    """Return the adapter inside `never_suspends`, or the port itself."""
    return vars(port)["_port"] if isinstance(port, NeverSuspends) else port


async def blocks(port: P, use: Use[P]) -> bool:
    """Whether calls of a port never suspend, although it is not wrapped in `never_suspends`."""
    if isinstance(port, NeverSuspends):
        return False
    turns = list[None]()
    asyncio.get_running_loop().call_soon(turns.append, None)
    await _raised(use(port))
    return not turns


async def check_threads(port: P, use: Use[P]) -> None:
    """Raise `CannotRun` if calls that block fail on other threads: such calls overlap neither there nor as tasks."""
    here, there = await _raised(use(port)), await in_thread(partial(run, _raised(use(port))))
    if type(here) is not type(there):
        raise CannotRun(f"calls block, so only threads can race, but on another thread a call raised {there!r}")


async def _raised(call: Coroutine[Any, Any, None]) -> Exception | None:
    try:
        await call
    except Exception as error:  # noqa: BLE001 - the clause raises it too, and reports it
        return error
    return None
