"""The script of a failed clause can be pasted into a shell: it has exactly the imports that it needs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from authx_adapters.clock import ManualClock
from authx_adapters.memory import MemoryCache, MemoryUserStore
from authx_contract import Capabilities, Harness, Violation
from authx_contract.probes.random_scripts import play_random_scripts
from authx_contract.probes.reference import ReferenceCache, ReferenceUsers
from authx_contract.probes.scripts import Script, Step
from authx_contract.trial import Trial
from authx_core.domain import UserQuery


class InMemory(Harness):
    capabilities = Capabilities(backend="memory")


class OnAServer(Harness):
    capabilities = Capabilities(backend="server")


class SaysTen(MemoryUserStore):
    async def count(self, _: UserQuery, /) -> int:
        return 10


class Forgets(MemoryCache):
    async def set(self, key: str, value: str, /, *, ttl: timedelta) -> None:
        pass


async def test_the_script_of_a_cache() -> None:
    script = Script("cache", Forgets(ManualClock()), ReferenceCache())
    await script.play(Step("set", ("a", "x"), {"ttl": timedelta(minutes=1)}))
    with pytest.raises(Violation) as caught:
        await script.play(Step("get", ("a",)))
    assert caught.value.facts["script"] == (
        "# in `python -m asyncio`\n"
        "from datetime import timedelta\n"
        "cache = ...  # yours, empty\n"
        "await cache.set('a', 'x', ttl=timedelta(seconds=60))\n"
        "await cache.get('a')"
    )


async def test_the_script_of_a_store() -> None:
    script = Script("store", SaysTen(), ReferenceUsers())
    with pytest.raises(Violation) as caught:
        await script.play(Step("count", (UserQuery(),)))
    assert caught.value.facts["script"] == (
        "# in `python -m asyncio`\n"
        "from authx_core.domain import UserQuery\n"
        "store = ...  # yours, empty\n"
        "await store.count(UserQuery())"
    )


async def test_the_requested_number_of_scripts_is_played_and_a_fifth_of_it_outside_memory() -> None:
    from hypothesis import strategies as st  # noqa: PLC0415 - as in the clauses

    played = list[Sequence[Step]]()

    async def play(steps: Sequence[Step]) -> None:
        played.append(steps)

    steps = st.integers().map(lambda number: Step("get", (f"{number}",)))
    for harness, times in ((InMemory(), 50), (OnAServer(), 10)):
        played.clear()
        await play_random_scripts(steps, play, Trial(harness), scripts=50)
        assert len(played) == times
