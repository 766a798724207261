"""Random scripts, played one after the other until one fails; the shortest that fails is reported."""

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
"""Plays a script; raises `Violation` if an answer is wrong."""

_OUTSIDE_MEMORY: Final = 5
"""The divisor of the number of scripts if each call reaches a file or a server."""
_SEARCHING: Final = 60.0
"""Seconds after which no new script begins. If this is enough for all scripts, a seed finds the same faults everywhere,
because scripts are counted: a busy machine plays as many as an idle one."""
_SHRINKING: Final = 20.0
"""Seconds to shorten the first script that fails."""
_PARTS: Final = 8
_STEPS: Final = 10
"""The most steps in a part."""


class _Enough(BaseException):
    """Stops the search; derives from BaseException so that Hypothesis does not catch it."""


async def play_random_scripts(steps: SearchStrategy[Step], play: Play, trial: Trial, *, scripts: int) -> None:
    """Play this many random scripts, or a fifth outside memory; raise the `Violation` of the shortest that fails."""
    most = scripts if trial.capabilities.backend == "memory" else scripts // _OUTSIDE_MEMORY
    search = _Search(play)

    def search_all() -> None:
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
        await in_thread(search_all)
    except Violation:
        raise
    except Exception:
        # Hypothesis raises `Flaky`: the script failed once, but not again.
        if search.failures:
            raise list(search.failures.values())[-1] from None
        raise


class _Search:
    """Plays scripts in the event loop of the clause until the time is up; remembers those that failed."""

    def __init__(self, play: Play) -> None:
        self.failures = dict[str, Exception]()
        self._play = play
        self._loop = asyncio.get_running_loop()
        self._end = time.monotonic() + _SEARCHING

    def try_script(self, script: Sequence[Step]) -> None:
        """Play a script; if it failed before, raise the same error."""
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
