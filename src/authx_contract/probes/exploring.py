"""Random scripts, played one after the other until one fails; the shortest that does is told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final, TypeAlias

from authx_contract.basics.threads import in_thread
from authx_contract.basics.violation import Violation
from authx_contract.probes.scripts import Step
from authx_contract.trial import Trial

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

Play: TypeAlias = Callable[[Sequence[Step]], Awaitable[None]]
"""Plays a script; raises `Violation` if it is answered wrongly."""

_OUTSIDE_MEMORY: Final = 5
"""How many times fewer scripts are played where each call reaches a file or a server."""
_SEARCHING: Final = 60.0
"""Seconds after which no new script begins, however slow the engine is. A seed finds the same wherever this is enough:
scripts are counted, so a busy machine plays as many as an idle one."""
_SHRINKING: Final = 20.0
"""Seconds for shortening the first script that fails."""
_PARTS: Final = 8
_STEPS: Final = 10
"""Steps of a part, at most."""


class _Enough(BaseException):
    """Stops the search; derives from BaseException so that Hypothesis does not catch it."""


async def explore(steps: SearchStrategy[Step], play: Play, trial: Trial, *, scripts: int) -> None:
    """Play so many random scripts, or a fifth outside memory; raise the `Violation` of the shortest that fails."""
    most = scripts if trial.capabilities.backend == "memory" else scripts // _OUTSIDE_MEMORY
    search = _Search(play)

    def all_of_them() -> None:
        from hypothesis import HealthCheck, Phase, given, settings  # noqa: PLC0415 - only this needs it
        from hypothesis import seed as seeded  # noqa: PLC0415 - likewise
        from hypothesis import strategies as st  # noqa: PLC0415 - likewise

        part = st.lists(steps, max_size=_STEPS)

        @seeded(trial.seed)
        @settings(
            max_examples=most, deadline=None, database=None, phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),  # pyright: ignore[reportArgumentType] - they are its members
            report_multiple_bugs=False, print_blob=False,
        )  # fmt: skip
        @given(st.tuples(*[part] * _PARTS))
        def one(parts: tuple[list[Step], ...]) -> None:
            search.try_script([step for each in parts for step in each])

        with suppress(_Enough):
            one()

    try:
        await in_thread(all_of_them)
    except Violation:
        raise
    except Exception:
        # Hypothesis calls it flaky: it failed once, and not again.
        if search.failures:
            raise list(search.failures.values())[-1] from None
        raise


class _Search:
    """Plays scripts in the loop of the clause, until the time is over; remembers those that failed."""

    def __init__(self, play: Play) -> None:
        self.failures = dict[str, Exception]()
        self._play = play
        self._loop = asyncio.get_running_loop()
        self._end = time.monotonic() + _SEARCHING

    def try_script(self, script: Sequence[Step]) -> None:
        """Play a script; raise as it did if it failed before."""
        known = self.failures.get(repr(script))
        if known is not None:
            raise known
        if time.monotonic() > self._end:
            if self.failures:
                return
            raise _Enough
        try:
            asyncio.run_coroutine_threadsafe(_awaited(self._play(script)), self._loop).result()
        except Exception as error:
            if not self.failures:
                self._end = time.monotonic() + _SHRINKING
            self.failures[repr(script)] = error
            raise


async def _awaited(call: Awaitable[None]) -> None:
    await call
