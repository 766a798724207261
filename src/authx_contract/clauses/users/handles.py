"""Other handles see every change; durable data survive closing and opening."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Final

import attrs

from authx_contract.basics.expect import same, same_user
from authx_contract.clause import clause
from authx_contract.probes.processes import worker_process
from authx_contract.samples.users import EVERYBODY, full_user
from authx_contract.samples.whole_users import summary
from authx_contract.trial import Trial
from authx_core.ports import UserStore

_CUTOFF: Final = datetime(2026, 3, 4, 5, 6, 7, 891_234, timezone.utc)
_TICK: Final = timedelta(microseconds=1)


@clause(
    "U-061",
    level=2,
    means="A person who was blacklisted, or whose password was changed, goes on as before on another server.",
    cause="A cache in the handle; a transaction that is never ended and so sees an old snapshot.",
)
async def other_handles(trial: Trial) -> None:
    """Users and the blackout survive closing and opening, and other handles see them at once."""
    first, second = await trial.many_users(2)
    ann = full_user("ann")
    same(await first.get(ann.id), None, "the store is not empty")
    ann = await second.create(ann)
    same_user(await first.get(ann.id), ann, "another handle does not see a new user")
    same(await first.count(EVERYBODY), 1, "another handle does not count a new user")
    ann = await second.update(ann.id, {"active": True})
    same_user(await first.get(ann.id), ann, "another handle does not see an update of a user that it has read")
    ann = await first.update(ann.id, {"username": "Eve", "username_key": "eve", "permissions": frozenset()})
    same_user(await second.get(ann.id), ann, "another handle does not see an update")
    same_user(await second.get_by_username("eve"), ann, "another handle does not see a new key")
    same(await second.get_by_username("ann"), None, "another handle still sees an old key")
    same(await first.search(EVERYBODY, limit=9), [attrs.evolve(ann)], "a search returned the wrong user")
    same(await second.delete(ann.id), True, "another handle cannot delete the user")
    same(await first.get(ann.id), None, "another handle still sees a deleted user")
    same(await first.count(EVERYBODY), 0, "another handle still counts a deleted user")
    same(await first.get_blackout(), None, "there is a blackout at first")
    await second.set_blackout(_CUTOFF)
    same(await first.get_blackout(), _CUTOFF, "another handle does not see the blackout")
    await second.set_blackout(_CUTOFF + _TICK)
    same(await first.get_blackout(), _CUTOFF + _TICK, "another handle does not see a later blackout")
    await first.set_blackout(None)
    same(await second.get_blackout(), None, "another handle still sees a lifted blackout")
    await _reopened(trial, first)


async def _reopened(trial: Trial, store: UserStore) -> None:
    """Close all handles: data in memory must be gone, all other data still there."""
    kept = trial.capabilities.backend != "memory"
    ann, bob = await store.create(full_user("ann")), await store.create(full_user("bob"))
    await store.delete(bob.id)
    await store.set_blackout(_CUTOFF)
    for _ in range(2):
        await trial.close()
        store = await trial.users()
        if kept:
            same_user(await store.get(ann.id), ann, "a user did not survive closing and opening")
            same_user(await store.get_by_social("google", "ann-1"), ann, "a key did not survive closing and opening")
        else:
            same(await store.get(ann.id), None, "a user outlived the last handle, though the harness declares memory")
        same(await store.get(bob.id), None, "a deleted user came back by closing and opening")
        same(await store.count(EVERYBODY), int(kept), "the count changed by closing and opening")
        same(await store.get_blackout(), _CUTOFF if kept else None, "the blackout changed by closing and opening")
    if trial.capabilities.processes:
        async with worker_process(trial) as process:
            same(await process.user(ann.id), summary(ann), "another process does not see a user")
