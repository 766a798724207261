"""Outages of a user store's backend."""

from __future__ import annotations

from authx_contract.basics.expect import same, same_user
from authx_contract.clause import clause
from authx_contract.never_suspends import NeverSuspends
from authx_contract.probes.outages import Operations, back, down
from authx_contract.samples.users import EVERYBODY, full_user
from authx_contract.trial import Trial
from authx_core.domain import StoreUnavailable


@clause(
    "U-084",
    level=3,
    kind="process",
    needs=["outage"],
    means="While the database is down every request hangs or shows an error page; afterwards, until a restart too.",
    cause="A driver without a timeout; its own error leaves the adapter; a broken connection stays in the pool.",
)
async def users_down(trial: Trial) -> None:
    """A backend that is down is `StoreUnavailable` in time, and the same handle works afterwards."""
    store = await trial.users()
    ann = await store.create(full_user("ann"))
    operations: Operations = {
        "get": lambda: store.get(ann.id),
        "get_by_email": lambda: store.get_by_email("ann@example.com"),
        "get_by_username": lambda: store.get_by_username("ann"),
        "get_by_social": lambda: store.get_by_social("github", "ann-2"),
        "search": lambda: store.search(EVERYBODY, limit=10),
        "count": lambda: store.count(EVERYBODY),
        "create": lambda: store.create(full_user("bob")),
        "update": lambda: store.update(ann.id, {"active": True}),
        "delete": lambda: store.delete(ann.id),
        "get_blackout": store.get_blackout,
        "set_blackout": lambda: store.set_blackout(ann.created_at),
    }
    await down(trial, operations, StoreUnavailable, in_threads=isinstance(store, NeverSuspends))
    await back(lambda: store.get(ann.id))
    same_user(await store.get(ann.id), ann, "a user changed during an outage")
    bob = await store.create(full_user("bob"))
    same(await store.count(EVERYBODY), 2, "a call that was refused during an outage took effect")
    same(await store.delete(bob.id), True, "the handle does not work as before")
