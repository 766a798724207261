"""Outages of a backend, and its return."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final

from authx_contract.basics.threads import in_thread
from authx_contract.basics.violation import Violation
from authx_contract.trial import Trial
from authx_core.blocking import run
from authx_core.domain import PortUnavailable

_IN_TIME: Final = 10.0
"""Seconds within which a call must report that the backend is down; later, an application has given up."""
_AGAIN: Final = 15.0
"""Seconds within which a handle must work again once the backend is up."""

Operations = Mapping[str, Callable[[], Coroutine[Any, Any, object]]]
"""Calls by the names of the methods."""


async def down(trial: Trial, operations: Operations, error: type[PortUnavailable], *, in_threads: bool) -> None:
    """Check the error of every operation while the backend is down; bring the backend up again in any case."""
    await trial.harness.stop_backend()
    try:
        for name, operate in operations.items():
            call = _on_a_thread(operate) if in_threads else operate()
            await _check_refused(name, call, error)
    finally:
        await trial.harness.start_backend()


def _on_a_thread(operate: Callable[[], Coroutine[Any, Any, object]]) -> Coroutine[Any, Any, object]:
    return in_thread(lambda: run(operate()))


async def _check_refused(name: str, call: Coroutine[Any, Any, object], error: type[PortUnavailable]) -> None:
    try:
        async with asyncio.timeout(_IN_TIME):
            result = await call
    except error:
        return
    except TimeoutError:
        raise Violation(f"{name} did not report within {_IN_TIME:.0f} seconds that the backend is down") from None
    except Exception as other:
        text = f"{type(other).__name__}: {other}"
        raise Violation(f"{name} of a backend that is down", expected=error.__name__, raised=text) from other
    raise Violation(f"{name} of a backend that is down", expected=error.__name__, returned=result)


async def back(operate: Callable[[], Coroutine[Any, Any, object]]) -> None:
    """Wait until a handle works again: each broken connection may cost one failed call."""
    end = time.monotonic() + _AGAIN
    while True:
        try:
            await operate()
        except PortUnavailable as error:
            if time.monotonic() > end:
                raise Violation(
                    "the handle does not work although the backend is up again", raised=str(error)
                ) from error
            await asyncio.sleep(0.1)
        else:
            return
