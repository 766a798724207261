"""Threads that take calls in turn, with a bounded queue."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from threading import Lock
from typing import Any

from authx_core import InvalidValue, Problem


class Refused(Exception):
    """No thread will make a call; the text says why."""


class Workers:
    """At most ``workers`` calls at a time, and at most ``queue`` that wait for their turn.

    A call counts until it has ended, even if nobody waits for it any longer: a thread that hangs is not free.
    """

    def __init__(self, workers: int, queue: int, executor: Executor | None = None) -> None:
        """Use an executor of the application, or threads of our own."""
        self._workers = workers
        self._room = workers + queue
        self._given = executor
        self._begin()

    def _begin(self) -> None:
        """Start with no thread and no call, also in a forked child, which has none of its parent's threads."""
        self._process = os.getpid()
        self._lock = Lock()
        self._executor = self._given or ThreadPoolExecutor(self._workers, thread_name_prefix="authx")
        self._waiting: dict[Future[Any], Callable[[], Any]] = {}
        self._calls = 0
        self._busy = 0
        self._closed: Future[None] | None = None

    def take(self, call: Callable[[], Any]) -> Future[Any]:
        """Queue a call for a thread, and return its future.

        Raises `Refused`, and `InvalidValue` in a forked child if the executor is the application's.
        """
        if self._process != os.getpid():
            if self._given is not None:
                reason = "belongs to the process that this one was forked from: give each process an executor"
                raise InvalidValue(Problem("executor", "forked", reason))
            self._begin()
        answer: Future[Any] = Future()
        with self._lock:
            if self._closed:
                raise Refused("its threads were closed")
            if self._calls == self._room:
                raise Refused(f"its queue is full, with {self._calls} calls")
            self._calls += 1
            self._waiting[answer] = call
            starts = self._busy < self._workers
            self._busy += starts
        answer.add_done_callback(self._forget)
        if starts:
            self._start(answer)
        return answer

    def close(self) -> Future[None]:
        """Take no more calls. The future that is returned is done when the last call has ended."""
        if self._process != os.getpid():
            self._begin()
        with self._lock:
            if self._closed is None:
                self._closed = Future()
                if not self._busy:
                    self._closed.set_result(None)
            return self._closed

    def end(self) -> None:
        """End our own threads after `close`; wait for them unless one is still busy."""
        if self._given is None:
            self._executor.shutdown(wait=self._closed is not None and self._closed.done())

    def _start(self, answer: Future[Any]) -> None:
        """Start one more thread. Not under the lock: an executor may run the function at once."""
        try:
            serving = self._executor.submit(self._serve)
        except RuntimeError as error:
            answer.cancel()
            self._stop()
            raise Refused("its executor was shut down") from error
        serving.add_done_callback(self._dropped)

    def _serve(self) -> None:
        """Make calls until none waits."""
        while (taken := self._next()) is not None:
            self._make(*taken)
            del taken

    def _make(self, answer: Future[Any], call: Callable[[], Any]) -> None:
        if not answer.set_running_or_notify_cancel():
            self._leave()
            return
        try:
            result = call()
        except BaseException as error:  # noqa: BLE001 - it is the caller's
            self._leave()
            answer.set_exception(error)
        else:
            self._leave()
            answer.set_result(result)

    def _next(self) -> tuple[Future[Any], Callable[[], Any]] | None:
        with self._lock:
            for answer in self._waiting:
                return answer, self._waiting.pop(answer)
            self._count_out()
            return None

    def _dropped(self, serving: Future[None]) -> None:
        """Count out a thread that never began: the application shut its executor down."""
        if serving.cancelled():
            self._stop()

    def _stop(self) -> None:
        with self._lock:
            self._count_out()

    def _count_out(self) -> None:
        """Count one thread less; the lock is held."""
        self._busy -= 1
        if self._closed and not self._busy:
            self._closed.set_result(None)

    def _leave(self) -> None:
        """Give a place back before the caller has its answer: so there is room when it calls again."""
        with self._lock:
            self._calls -= 1

    def _forget(self, answer: Future[Any]) -> None:
        """Give back the place of a caller who left before a thread took its call."""
        with self._lock:
            if self._waiting.pop(answer, None) is not None:
                self._calls -= 1
