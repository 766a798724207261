"""One clause over one adapter, and what became of it."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
import traceback
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from contextvars import copy_context
from pathlib import Path
from typing import Final

from authx_contract.basics import leaks
from authx_contract.basics.violation import CannotRun, Violation
from authx_contract.clause import Clause
from authx_contract.harness import Harness
from authx_contract.trial import Trial
from authx_contract.verdict.needs import obstacle
from authx_contract.verdict.outcome import Outcome, Status
from authx_core.domain import AuthxError, Suspended

PATIENCE: Final = 120.0
"""Seconds after which an asynchronous clause hangs."""
_GRACE: Final = 15.0
"""Seconds more after which a blocking one does, which nothing can interrupt."""
hung: Final = list[threading.Thread]()
"""Threads that were left behind: what they wait for may keep the interpreter from ending."""
_FRAMES: Final = 3
_NOT_THE_ADAPTERS: Final = (
    "authx_contract/", "authx_core/blocking.py", "concurrent/futures/", f"{Path(threading.__file__).as_posix()}",
    f"{Path(asyncio.__file__).parent.as_posix()}/",
)  # fmt: skip


def run_clause(harness: type[Harness], clause: Clause, *, seed: int = 0, namespace: str = "authx-contract") -> Outcome:
    """Run one clause on an instance of its own and in an event loop of its own; waivers are not looked at."""
    if (found := obstacle(clause, harness)) is not None:
        return Outcome(
            clause=clause, status=Status.INAPPLICABLE if found.inapplicable else Status.SKIPPED, reason=found.reason
        )
    start = time.perf_counter()
    error = in_own_loop(harness, clause.body, seed=seed, namespace=namespace)
    seconds = time.perf_counter() - start
    if isinstance(error, CannotRun):
        return Outcome(clause=clause, status=Status.SKIPPED, seconds=seconds, reason=str(error))
    status = Status.PASSED if error is None else Status.FAILED
    return Outcome(clause=clause, status=status, seconds=seconds, observed=_told(error), error=error)


def in_own_loop(
    harness: type[Harness], body: Callable[[Trial], Awaitable[None]], *, seed: int, namespace: str
) -> BaseException | None:
    """Run what works with a trial, and return what it raised, or what was left running after it."""

    def work() -> BaseException | None:
        # A factory keeps the runner from setting, and in the end unsetting, the loop of whoever called.
        with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
            return runner.run(_tried(harness, body, seed, namespace))

    before = leaks.Resources.now()
    error = _within(PATIENCE + _GRACE, work)
    if error is None:
        try:
            leaks.nothing_left(before)
        except Violation as violation:
            return violation
    return error


def _within(seconds: float, work: Callable[[], BaseException | None]) -> BaseException | None:
    """Do work in a thread that is left behind if it hangs: nothing else interrupts a call that blocks."""
    results = list[BaseException | None]()

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:  # noqa: BLE001 - a skip of pytest, such as
            results.append(_Raised(error))

    thread = threading.Thread(target=copy_context().run, args=(run,), name="authx-contract", daemon=True)
    thread.start()
    thread.join(seconds)
    if not results:
        hung.append(thread)
        return Violation(f"a call blocks, and did not end within {seconds:.0f} seconds{_where_is(thread)}")
    thread.join()
    if isinstance(results[0], _Raised):
        raise results[0].error
    return results[0]


class _Raised(BaseException):
    """What is no verdict on the adapter, and goes on to whoever called."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(error)
        self.error = error


async def _tried(
    kind: type[Harness], body: Callable[[Trial], Awaitable[None]], seed: int, namespace: str
) -> BaseException | None:
    before = leaks.Resources.now()
    try:
        harness = kind()
    except Exception as raised:  # noqa: BLE001 - whatever a harness raises is told
        return HarnessFailed(f"`{kind.__name__}()` raised {type(raised).__name__}: {raised}")
    harness.namespace = namespace
    error: BaseException | None = None
    try:
        await _step(harness.reset)
        async with asyncio.timeout(PATIENCE):
            await body(Trial(harness, seed=seed, before=before))
    except (Exception, asyncio.CancelledError) as raised:  # noqa: BLE001 - whatever an adapter raises is its verdict
        error = raised
    for step in (harness.reset, harness.close, leaks.no_tasks_left):
        try:
            await _step(step)
        except Exception as raised:  # noqa: BLE001 - likewise
            error = error or raised
    return error


async def _step(step: Callable[[], Awaitable[None]]) -> None:
    """Await a step of the harness, and name it if it fails."""
    try:
        await step()
    except Violation:
        raise
    except Exception as error:
        name = getattr(step, "__name__", "?")
        raise HarnessFailed(f"`{name}` of the harness raised {type(error).__name__}: {error}") from error


class HarnessFailed(Exception):
    """A hook of the harness raised."""


def _told(error: BaseException | None) -> str:
    """Say what was observed, for a person who wrote the adapter."""
    match error:
        case None:
            return ""
        case Violation() | HarnessFailed():
            return str(error)
        case NotImplementedError():
            return f"it is not implemented yet{_where(error)}"
        case Suspended():
            return (
                "a call of a blocking adapter suspended, though `never_suspends` promises not to: "
                f"leave that out for a client that is awaited{_where(error)}"
            )
        case TimeoutError() if not error.args:
            return f"it did not end within {PATIENCE:.0f} seconds"
        case AuthxError():
            return f"{type(error).__name__} was raised where nothing should be: {error}{_where(error)}"
        case _:
            return (
                f"{type(error).__name__} left the adapter, which is no error of the ports: "
                f"{error!s:.500}{_where(error)}"
            )


def _where(error: BaseException) -> str:
    """Name the first places of the traceback that are not the suite's, and the innermost."""
    with suppress(Exception):
        return _places(traceback.extract_tb(error.__traceback__))
    return ""


def _where_is(thread: threading.Thread) -> str:
    """Name the places at which a thread is."""
    with suppress(Exception):
        frame = sys._current_frames()[thread.ident or 0]  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - the documented way
        return _places(traceback.extract_stack(frame))
    return ""


def _places(stack: Iterable[traceback.FrameSummary]) -> str:
    frames = [
        frame for frame in stack if not any(part in frame.filename.replace("\\", "/") for part in _NOT_THE_ADAPTERS)
    ]
    shown = frames if len(frames) <= _FRAMES else [*frames[: _FRAMES - 1], frames[-1]]
    return "".join(f"\nat {_short(frame.filename)}:{frame.lineno} in {frame.name}" for frame in shown)


def _short(file: str) -> str:
    """Name a file as one who stands in the current folder would."""
    path = Path(file)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else file
