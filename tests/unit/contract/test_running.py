"""The outcome of one clause: its explanation, and the resources that it left behind."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from threading import Event, Thread
from typing import IO

import attrs
import pytest

from authx_contract import CannotRun, Outcome, Status, Violation, all_clauses, never_suspends, run_clause
from authx_contract.basics.expect import same
from authx_contract.basics.threads import gather_all
from authx_contract.samples.users import full_user
from authx_contract.trial import Trial
from authx_core import StoreUnavailable
from unit.contract import harnesses

CLAUSE = all_clauses()[0]


def ran(body: Callable[[Trial], Awaitable[None]]) -> Outcome:
    return run_clause(harnesses.Honest, attrs.evolve(CLAUSE, body=body))


def test_a_violation_is_explained_with_its_facts_its_meaning_and_its_usual_cause() -> None:
    async def fails(_: Trial) -> None:
        raise Violation("two were seen", expected=1, observed=2)

    outcome = ran(fails)
    assert outcome.status is Status.FAILED
    assert str(outcome) == (
        f"U-001 failed: {CLAUSE.sentence}\n"
        "observed:  two were seen\n           expected: 1\n           observed: 2\n"
        f"means:     {CLAUSE.means}\nusually:   {CLAUSE.cause}"
    )


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (KeyError("x"), "the adapter raised KeyError, which is not an error of the ports"),
        (StoreUnavailable("down"), "StoreUnavailable was raised where no error is expected"),
        (NotImplementedError(), "it is not implemented yet"),
        (asyncio.CancelledError(), "the adapter raised CancelledError"),
    ],
)
def test_any_exception_is_a_failure(error: BaseException, message: str) -> None:
    async def fails(_: Trial) -> None:
        raise error

    outcome = ran(fails)
    assert outcome.status is Status.FAILED
    assert message in outcome.observed
    assert "test_running.py" in outcome.observed


def test_only_the_fields_in_which_two_users_differ_are_shown() -> None:
    user = full_user("ann")

    async def fails(_: Trial) -> None:
        same(attrs.evolve(user, version=3), user, "not as stored")

    assert ran(fails).observed == "not as stored\nexpected: {'version': 1}\nobserved: {'version': 3}"


def test_an_adapter_that_awaits_is_advised_to_leave_out_never_suspends() -> None:
    class Awaits:
        async def now(self) -> None:
            await asyncio.sleep(0)

    async def reads(_: Trial) -> None:
        await never_suspends(Awaits()).now()

    assert "leave that out for a client that is awaited" in ran(reads).observed


def test_a_clause_that_cannot_run_is_skipped_with_its_reason() -> None:
    async def cannot(_: Trial) -> None:
        raise CannotRun("no time")

    assert (ran(cannot).status, ran(cannot).reason) == (Status.SKIPPED, "no time")


def test_a_task_that_is_left_running_is_named_and_cancelled() -> None:
    tasks: list[asyncio.Task[object]] = []

    async def leaks(_: Trial) -> None:
        tasks.append(asyncio.create_task(asyncio.Event().wait(), name="left-behind"))

    outcome = ran(leaks)
    assert "left-behind (Event.wait)" in outcome.observed
    assert tasks[0].cancelled()


def test_a_thread_that_is_left_running_is_named() -> None:
    ended = Event()

    async def leaks(_: Trial) -> None:
        Thread(target=ended.wait, name="left-behind", daemon=True).start()

    outcome = ran(leaks)
    ended.set()
    assert "left-behind" in outcome.observed


def test_an_error_while_closing_the_harness_is_a_failure() -> None:
    class Closing(harnesses.Honest):
        async def close(self) -> None:
            raise OSError("cannot close")

    outcome = run_clause(Closing, CLAUSE)
    assert "`close` of the harness raised OSError: cannot close" in outcome.observed


def test_a_call_that_blocks_forever_is_abandoned_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("authx_contract.verdict.run.TIMEOUT", 0.2)
    monkeypatch.setattr("authx_contract.verdict.run._GRACE", 0.2)
    ended = Event()

    async def blocks(_: Trial) -> None:
        ended.wait()

    outcome = ran(blocks)
    ended.set()
    assert "a call blocks, and did not end within 0 seconds" in outcome.observed
    assert "test_running.py" in outcome.observed


def test_connections_and_files_that_are_left_open_are_named(tmp_path: Path) -> None:
    opened: list[IO[str] | socket.socket] = []

    async def leaks(_: Trial) -> None:
        opened.extend((*socket.socketpair(), (tmp_path / "left-behind").open("w")))

    outcome = ran(leaks)
    for each in opened:
        each.close()
    assert "left-behind" in outcome.observed
    assert outcome.observed.count("connection to") == 2


async def test_gathered_calls_have_all_ended_when_one_of_them_failed() -> None:
    ended = list[str]()

    async def fails() -> None:
        raise OSError("first")

    async def goes_on() -> None:
        for _ in range(10):
            await asyncio.sleep(0)
        ended.append("it")

    with pytest.raises(OSError, match="first"):
        await gather_all(fails(), goes_on())
    assert ended == ["it"]
