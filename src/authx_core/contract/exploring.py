"""Random scripts, played one after the other until one fails; the shortest that does is told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from authx_core.contract.scripts import Step
from authx_core.contract.threads import in_thread
from authx_core.contract.violation import Violation

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

_SCRIPTS: Final = 1000
_SEARCHING: Final = 6.0
"""Seconds in which new scripts are begun."""
_SHRINKING: Final = 20.0
"""Seconds more in which one that fails is made shorter."""
_PARTS: Final = 8
_STEPS: Final = 10
"""Steps of a part, at most."""


class _Enough(BaseException):
    """Ends the search: Hypothesis lets pass what is no `Exception`, and would make up all scripts that are left."""


async def explore(steps: SearchStrategy[Step], play: Callable[[Sequence[Step]], Awaitable[None]], seed: int) -> None:
    """Play random scripts; raise the `Violation` of the shortest that fails."""
    loop, end = asyncio.get_running_loop(), time.monotonic() + _SEARCHING
    failures = dict[str, Exception]()

    def search() -> None:
        from hypothesis import HealthCheck, Phase, given, settings  # noqa: PLC0415 - only this needs it
        from hypothesis import seed as seeded  # noqa: PLC0415 - likewise
        from hypothesis import strategies as st  # noqa: PLC0415 - likewise

        part = st.lists(steps, max_size=_STEPS)

        @seeded(seed)
        @settings(
            max_examples=_SCRIPTS, deadline=None, database=None, phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),  # pyright: ignore[reportArgumentType] - they are its members
            report_multiple_bugs=False, print_blob=False,
        )  # fmt: skip
        @given(st.tuples(*[part] * _PARTS))
        def one(parts: tuple[list[Step], ...]) -> None:
            script = [step for each in parts for step in each]
            known = failures.get(repr(script))
            if known is not None:
                raise known
            if not failures and time.monotonic() > end:
                raise _Enough
            if time.monotonic() > end + _SHRINKING:
                return
            try:
                asyncio.run_coroutine_threadsafe(_awaited(play(script)), loop).result()
            except Exception as error:
                failures[repr(script)] = error
                raise

        with suppress(_Enough):
            one()

    try:
        await in_thread(search)
    except Violation:
        raise
    except Exception:
        # Hypothesis calls it flaky: it failed once, and not again.
        if failures:
            raise list(failures.values())[-1] from None
        raise


async def _awaited(call: Awaitable[None]) -> None:
    await call
