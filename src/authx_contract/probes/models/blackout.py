"""A model of the blackout."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, timezone
from typing import Final

import attrs

from authx_contract.probes.linearizability import Model
from authx_core.ports import UserStore

_START: Final = datetime(2026, 3, 4, 5, 6, 7, 891_234, timezone.utc)
_TICK: Final = timedelta(microseconds=1)


@attrs.frozen(repr=False)
class Call:
    """A call on the blackout; a cut-off is shown as a number of microseconds."""

    verb: str
    number: int = 0

    def __repr__(self) -> str:
        return f"set_blackout({self.number})" if self.verb == "set" else self.verb


VERBS: Final = ("set", "set", "set", "set_blackout(None)", "get_blackout()")


async def answer(store: UserStore, call: Call) -> Sequence[object]:
    """Make a call and return its answer."""
    match call.verb:
        case "set":
            cutoff = await store.set_blackout(_START + call.number * _TICK)
        case "get_blackout()":
            cutoff = await store.get_blackout()
        case _:
            cutoff = await store.set_blackout(None)
    return [None if cutoff is None else (cutoff - _START) // _TICK]


def _step(state: int | None, call: Call) -> Iterator[tuple[int | None, object]]:
    match call.verb:
        case "set":
            standing = call.number if state is None else max(state, call.number)
            yield standing, standing
        case "get_blackout()":
            yield state, state
        case _:
            yield None, None


MODEL: Final = Model[int | None](initial=None, step=_step)
