"""One handle in several loops and threads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final

from authx_contract.basics.expect import same_user
from authx_contract.basics.threads import gather_all, in_thread
from authx_contract.basics.violation import Violation
from authx_contract.clause import clause
from authx_contract.never_suspends import NeverSuspends
from authx_contract.samples.users import full_user, warm
from authx_contract.trial import Trial
from authx_core.blocking import run
from authx_core.domain import AuthxError, User
from authx_core.ports import UserStore

_AT_ONCE: Final = 4
_ROUNDS: Final = 3
_IN_TIME: Final = 10.0
"""Seconds within which a handle must work or raise."""


@clause(
    "U-086",
    level=2,
    kind="race",
    means="A job that runs in a thread hangs for ever, or logs one person in as another.",
    cause="A connection that belongs to one loop or thread, and is not guarded: take one for each, or refuse.",
)
async def other_loops_and_threads(trial: Trial) -> None:
    """One handle used from several loops or threads works, or raises a named error at once."""
    store = await trial.users()
    await warm(store)
    blocks = isinstance(store, NeverSuspends)
    for round_ in range(_ROUNDS):
        names = [f"user-{round_}-{number}" for number in range(_AT_ONCE)]
        use = _on_a_thread if blocks else _in_its_own_loop
        answers = await gather_all(*(_in_time(use, store, name) for name in names))
        for name, answer in zip(names, answers, strict=True):
            if isinstance(answer, User):
                same_user(await store.get(answer.id), answer, "a user stored from another loop or thread is not there")
                same_user(
                    await store.get_by_username(name),
                    answer,
                    "the key of a user stored from another loop or thread finds the wrong user",
                )
        here = f"here-{round_}"
        user = await store.create(full_user(here))
        same_user(await store.get_by_username(here), user, "the handle no longer works in the loop where it was opened")


async def _in_time(use: Callable[[UserStore, str], User], store: UserStore, name: str) -> User | AuthxError:
    try:
        async with asyncio.timeout(_IN_TIME):
            return await in_thread(partial(use, store, name))
    except AuthxError as error:
        return error
    except TimeoutError:
        raise Violation(f"a handle used from another loop or thread hung for {_IN_TIME:.0f} seconds") from None
    except Violation:
        raise
    except Exception as error:
        text = f"{type(error).__name__}: {error}"
        raise Violation(
            "a handle used from another loop or thread raised an error that is not one of the ports", raised=text
        ) from error


def _on_a_thread(store: UserStore, name: str) -> User:
    return run(_use(store, name))


def _in_its_own_loop(store: UserStore, name: str) -> User:
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        return runner.run(_use(store, name))


async def _use(store: UserStore, name: str) -> User:
    """Store a user, change it, and check that every lookup finds it."""
    user = await store.create(full_user(name))
    same_user(await store.get(user.id), user, "a user stored from another loop or thread came back different")
    user = await store.update(user.id, {"epoch": user.epoch + 1})
    same_user(
        await store.get_by_email(f"{name}@example.com"),
        user,
        "a user changed from another loop or thread came back different",
    )
    return user
