"""Opening a store: again, concurrently, and over another application's schema."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Final

from authx_contract.basics.expect import holds, same, same_user
from authx_contract.basics.threads import gather_all, in_thread
from authx_contract.basics.violation import Violation
from authx_contract.clause import clause
from authx_contract.never_suspends import NeverSuspends
from authx_contract.samples.users import EVERYBODY, full_user
from authx_contract.trial import Trial
from authx_core.domain import AuthxError, InvalidSchema
from authx_core.ports import UserStore

_AT_ONCE: Final = 4
_ROUNDS: Final = 4


@clause(
    "U-062",
    level=2,
    kind="race",
    means="Of several servers that start together some do not, or a restart empties the database.",
    cause="`CREATE TABLE` without `IF NOT EXISTS`, or without care for another who creates it this moment.",
)
async def at_once(trial: Trial) -> None:
    """Opening is idempotent, also several at once."""
    ann = await (await trial.users()).create(full_user("ann"))
    same_user(await (await trial.users()).get(ann.id), ann, "opening again changed what was there")
    for _ in range(_ROUNDS):
        await trial.harness.reset()
        for number, store in enumerate(await _opened(trial)):
            user = await store.create(full_user(f"user-{number}"))
            same_user(await store.get(user.id), user, "a store that was opened together with others does not work")
        same(
            await (await trial.users()).count(EVERYBODY),
            _AT_ONCE,
            "stores that were opened together have different data",
        )


@clause(
    "U-064",
    level=3,
    kind="process",
    needs=["schema"],
    means="After an upgrade half the operations fail, or data of another application are overwritten.",
    cause="What is found is not compared with what is expected: look at the start, and raise `InvalidSchema`.",
)
async def wrong_schema(trial: Trial) -> None:
    """An older or foreign schema is refused with one clear sentence: `InvalidSchema` at opening or `verify_schema`."""
    await _verified(trial)
    for spoil, what in ((trial.harness.age_schema, "an older"), (trial.harness.foreign_schema, "a foreign")):
        await trial.harness.reset()
        await _verified(trial)
        await trial.close()
        await spoil()
        try:
            await _verified(trial)
        except InvalidSchema as error:
            messages = [problem.message for problem in error.problems]
            holds(messages and all(messages), f"{what} schema was refused without a message")
            holds("\n" not in str(error), f"{what} schema was refused with more than one line: {error}")
        except AuthxError as error:
            raise Violation(
                f"{what} schema", expected="InvalidSchema", raised=f"{type(error).__name__}: {error}"
            ) from error
        else:
            raise Violation(f"{what} schema was not refused", expected="InvalidSchema")
        await trial.close()


async def _opened(trial: Trial) -> list[UserStore]:
    """Open several stores at once: on threads if they block, as tasks otherwise."""
    if isinstance(await trial.users(), NeverSuspends):
        await trial.harness.reset()
        return await gather_all(*(in_thread(partial(_open, trial)) for _ in range(_AT_ONCE)))
    await trial.harness.reset()
    return await gather_all(*(trial.users() for _ in range(_AT_ONCE)))


def _open(trial: Trial) -> UserStore:
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        return runner.run(trial.users())


async def _verified(trial: Trial) -> None:
    """Open a store, and verify its schema if opening does not."""
    verify = getattr(await trial.users(), "verify_schema", None)
    if verify is not None:
        await verify()
