"""Threads that take calls in turn, with a bounded queue."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import Any


class Workers:
    """At most ``workers`` threads, and at most ``queue`` calls that wait for one.

    A call counts until it has ended, also when nobody waits for it any longer: a thread that hangs is not free.
    """

    def __init__(self, workers: int, queue: int) -> None:
        self._workers = workers
        self._room = workers + queue
        self._begin()

    def _begin(self) -> None:
        """Start without threads, as a forked child does: its parent's are not there."""
        self._process = os.getpid()
        self._lock = Lock()
        self._threads = ThreadPoolExecutor(self._workers, thread_name_prefix="authx")
        self._waiting: dict[Future[Any], Callable[[], Any]] = {}
        self._calls = 0
        self._busy = 0
        self._closed: Future[None] | None = None

    def take(self, call: Callable[[], Any]) -> Future[Any] | None:
        """Let a thread make a call, and return its answer to be; None if there is no room, or after `close`."""
        if self._process != os.getpid():
            self._begin()
        answer: Future[Any] = Future()
        with self._lock:
            if self._closed or self._calls == self._room:
                return None
            self._calls += 1
            self._waiting[answer] = call
            if self._busy < self._workers:
                self._busy += 1
                self._threads.submit(self._serve)
        answer.add_done_callback(self._forget)
        return answer

    def close(self) -> Future[None]:
        """Take no more calls. What is returned is done when the last one has ended."""
        if self._process != os.getpid():
            self._begin()
        with self._lock:
            if self._closed is None:
                self._closed = Future()
                if not self._busy:
                    self._closed.set_result(None)
            return self._closed

    def join(self) -> None:
        """End the threads after `close`; wait for them, unless one is still busy."""
        self._threads.shutdown(wait=self._closed is not None and self._closed.done())

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
            self._busy -= 1
            if self._closed and not self._busy:
                self._closed.set_result(None)
            return None

    def _leave(self) -> None:
        """Give a place back, before the caller hears: so there is room when it calls again."""
        with self._lock:
            self._calls -= 1

    def _forget(self, answer: Future[Any]) -> None:
        """Give back the place of a caller who has gone before a thread took its call."""
        with self._lock:
            if self._waiting.pop(answer, None) is not None:
                self._calls -= 1
