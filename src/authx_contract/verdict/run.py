"""Running one clause on one adapter."""

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

TIMEOUT: Final = 120.0
"""Seconds after which an asynchronous clause is cancelled and fails."""
_GRACE: Final = 15.0
"""Seconds beyond the timeout after which a clause that blocks, and cannot be cancelled, is abandoned and fails."""
hung: Final = list[threading.Thread]()
"""Abandoned threads, which may keep the interpreter from ending."""
_FRAMES: Final = 3
_NOT_THE_ADAPTER: Final = (
    "authx_contract/", "authx_core/blocking.py", "concurrent/futures/", f"{Path(threading.__file__).as_posix()}",
    f"{Path(asyncio.__file__).parent.as_posix()}/",
)  # fmt: skip


def run_clause(harness: type[Harness], clause: Clause, *, seed: int = 0, namespace: str = "authx-contract") -> Outcome:
    """Run one clause on its own instance and in its own event loop; waivers are ignored."""
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
    return Outcome(clause=clause, status=status, seconds=seconds, observed=_observation(error), error=error)


def in_own_loop(
    harness: type[Harness], body: Callable[[Trial], Awaitable[None]], *, seed: int, namespace: str
) -> BaseException | None:
    """Run a clause or a check in its own loop and return its error, or a `Violation` for a leak."""

    def work() -> BaseException | None:
        # With a factory, the runner neither sets nor unsets the event loop of the calling thread.
        with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
            return runner.run(_run_body(harness, body, seed, namespace))

    before = leaks.Resources.now()
    error = _within(TIMEOUT + _GRACE, work)
    if error is None:
        try:
            leaks.nothing_left(before)
        except Violation as violation:
            return violation
    return error


def _within(seconds: float, work: Callable[[], BaseException | None]) -> BaseException | None:
    """Run work in a thread, and abandon the thread if it hangs: a call that blocks cannot be interrupted."""
    results = list[BaseException | None]()

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:  # noqa: BLE001 - such as a skip of pytest
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
    """Carries an error that is not the adapter's out of the thread."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(error)
        self.error = error


async def _run_body(
    kind: type[Harness], body: Callable[[Trial], Awaitable[None]], seed: int, namespace: str
) -> BaseException | None:
    before = leaks.Resources.now()
    try:
        harness = kind()
    except Exception as raised:  # noqa: BLE001 - any error of a harness is reported
        return HarnessFailed(f"`{kind.__name__}()` raised {type(raised).__name__}: {raised}")
    harness.namespace = namespace
    error: BaseException | None = None
    try:
        await _step(harness.reset)
        async with asyncio.timeout(TIMEOUT):
            await body(Trial(harness, seed=seed, before=before))
    except (Exception, asyncio.CancelledError) as raised:  # noqa: BLE001 - any error of an adapter is a failure
        error = raised
    for step in (harness.reset, harness.close, leaks.no_tasks_left):
        try:
            await _step(step)
        except Exception as raised:  # noqa: BLE001 - likewise
            error = error or raised
    return error


async def _step(step: Callable[[], Awaitable[None]]) -> None:
    """Await a hook of the harness; name the hook if it fails."""
    try:
        await step()
    except Violation:
        raise
    except Exception as error:
        name = getattr(step, "__name__", "?")
        raise HarnessFailed(f"`{name}` of the harness raised {type(error).__name__}: {error}") from error


class HarnessFailed(Exception):
    """A hook of the harness raised."""


def _observation(error: BaseException | None) -> str:
    """Describe an error to the author of the adapter."""
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
            return f"it did not end within {TIMEOUT:.0f} seconds"
        case AuthxError():
            return f"{type(error).__name__} was raised where no error is expected: {error}{_where(error)}"
        case _:
            return (
                f"the adapter raised {type(error).__name__}, which is not an error of the ports: "
                f"{error!s:.500}{_where(error)}"
            )


def _where(error: BaseException) -> str:
    """Return the first lines of the traceback outside the suite, and the innermost one."""
    with suppress(Exception):
        return _places(traceback.extract_tb(error.__traceback__))
    return ""


def _where_is(thread: threading.Thread) -> str:
    """Return the lines that a thread is executing."""
    with suppress(Exception):
        frame = sys._current_frames()[thread.ident or 0]  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - the documented way
        return _places(traceback.extract_stack(frame))
    return ""


def _places(stack: Iterable[traceback.FrameSummary]) -> str:
    frames = [
        frame for frame in stack if not any(part in frame.filename.replace("\\", "/") for part in _NOT_THE_ADAPTER)
    ]
    shown = frames if len(frames) <= _FRAMES else [*frames[: _FRAMES - 1], frames[-1]]
    return "".join(f"\nat {_short(frame.filename)}:{frame.lineno} in {frame.name}" for frame in shown)


def _short(file: str) -> str:
    """Return the path of a file, relative to the current folder if the file is inside it."""
    path = Path(file)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else file
