"""Values, keys, counters and what is refused."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final, cast

from authx_contract.clause import clause
from authx_contract.clauses._caches import AWKWARD, MINUTE, gone_exactly_after
from authx_contract.clauses.cache_races import counts_two_ways
from authx_contract.expect import raised, same
from authx_contract.processes import elsewhere
from authx_contract.trial import Trial
from authx_core.domain import InvalidValue
from authx_core.ports import Cache

_BIG: Final = 2**53 + 1
_BAD_KEYS: Final = ("nul\0", "lone\ud800", "", "x" * 513, 7, None, b"bytes")


"""One caller, no time."""


@clause(
    "C-001",
    means="A link that was never issued is accepted, or a login fails with an error.",
    cause="An absent key is read as empty text or zero.",
)
async def absent(trial: Trial) -> None:
    """An absent key reads `None`."""
    cache = await trial.cache()
    same(await cache.get("nobody"), None, "an absent key was read")
    same(await cache.get_many(["nobody", "none"]), [None, None], "absent keys were read")
    same(await cache.pop("nobody"), None, "an absent key was popped")


@clause(
    "C-002",
    means="What is kept with a token comes back changed, and the link does not work.",
    cause="Values are parsed, trimmed or decoded on their way; numbers and text share a type.",
)
async def text_identical(trial: Trial) -> None:
    """Text comes back identical, empty and 512 KiB included."""
    cache = await trial.cache()
    for value in ("", "0", "-0", "007", "1.0", "null", '{"a": 1}', *AWKWARD, "é" * 256 * 1024, "x" * 512 * 1024):
        await cache.set("key", value, ttl=MINUTE)
        same(await cache.get("key"), value, "set text came back changed")
        same(await cache.pop("key"), value, "popped text came back changed")
        await cache.add("key", value, ttl=MINUTE)
        same(await cache.get_many(["key"]), [value], "added text came back changed")


@clause(
    "C-003",
    needs=["time"],
    means="A new reset link dies with the old one's lifetime, or outlives its own.",
    cause="The lifetime is written apart from the value, or kept from before.",
)
async def set_replaces(trial: Trial) -> None:
    """`set` replaces value and lifetime."""
    cache = await trial.cache()
    for key, first, second in (("longer", 1, 2), ("shorter", 2, 1)):
        await cache.set(key, "old", ttl=first * MINUTE)
        await cache.set(key, "new", ttl=second * MINUTE)
        same(await cache.get(key), "new", "a second set did not replace the value")
    await cache.increment("counter", ttl=2 * MINUTE)
    await cache.set("counter", "new", ttl=MINUTE)
    await gone_exactly_after(trial, MINUTE, cache, "shorter", "counter")
    await gone_exactly_after(trial, MINUTE, cache, "longer")


@clause(
    "C-004",
    means="One client's failed logins lock another out, or one person's token opens another's account.",
    cause="Keys are folded, normalised, cut or used as a pattern.",
)
async def keys_exact(trial: Trial) -> None:
    """Keys that differ in any code point differ, and the longest count to their last character."""
    cache = await trial.cache()
    keys = [*AWKWARD, "k" * 512, "k" * 511, "k" * 511 + "l"]
    for number, key in enumerate(keys):
        same(await cache.add(key, str(number), ttl=MINUTE), True, f"{key!r} was taken for another key")
    for number, key in enumerate(keys):
        same(await cache.pop(key), str(number), f"{key!r} read the value of another key")
    await cache.set("é" * 512, "wide", ttl=MINUTE)
    same(await cache.get("é" * 512), "wide", "a key of 512 wide characters was cut")


@clause(
    "C-005",
    means="Limits are read for the wrong client.",
    cause="Answers are gathered by key instead of by place, or absent ones are left out.",
)
async def get_many(trial: Trial) -> None:
    """`get_many` takes none, one or 500 keys and duplicates, and answers in order."""
    cache = await trial.cache()
    keys = [f"{number}:{number % 7}" for number in range(500)]
    for key in keys[::2]:
        await cache.set(key, key, ttl=MINUTE)
    same(await cache.get_many([]), [], "no keys were not answered with no values")
    same(await cache.get_many(keys[:1]), keys[:1], "one key was not answered")
    expected = [None if number % 2 else key for number, key in enumerate(keys)]
    same(await cache.get_many(keys), expected, "500 keys were not answered in order")
    same(await cache.get_many(tuple(keys[1::-1] * 2)), [None, keys[0]] * 2, "duplicates were not answered in order")


@clause(
    "C-015",
    needs=["time"],
    means="The second request replaces the first one's token, or extends its lifetime.",
    cause="Value or lifetime are written before it is known whether the key was free.",
)
async def failed_add(trial: Trial) -> None:
    """A failed `add` changes nothing."""
    cache = await trial.cache()
    await cache.set("key", "first", ttl=MINUTE)
    await cache.increment("counter", ttl=MINUTE)
    for key, value in (("key", "first"), ("counter", "1")):
        for ttl in (MINUTE / 2, 2 * MINUTE):
            same(await cache.add(key, "second", ttl=ttl), False, "add over a live key claimed success")
        same(await cache.get(key), value, "a failed add changed the value")
    await gone_exactly_after(trial, MINUTE, cache, "key", "counter")


@clause(
    "C-020",
    means="A reset link works twice.",
    cause="The value is read and not removed, or removed only from one place.",
)
async def pop_once(trial: Trial) -> None:
    """`pop` gives the value once."""
    first, second = await trial.caches(2)
    await first.set("key", "", ttl=MINUTE)
    same(await second.pop("key"), "", "pop did not give the value")
    for cache in (first, second):
        same(await cache.pop("key"), None, "a second pop gave the value again")
        same(await cache.get("key"), None, "a popped key was readable")
        same(await cache.delete("key"), False, "a popped key was there to delete")
    same(await first.add("key", "new", ttl=MINUTE), True, "a popped key was still taken")


@clause(
    "C-030",
    means="A program believes that it ended a lock or a token that was not there, or the reverse.",
    cause="The answer is not the number of keys that the engine removed.",
)
async def delete(trial: Trial) -> None:
    """`delete` is True exactly if a live key went."""
    cache = await trial.cache()
    same(await cache.delete("nobody"), False, "deleting an absent key claimed that one went")
    await cache.set("key", "", ttl=MINUTE)
    await cache.increment("counter", ttl=MINUTE)
    spared = ("spared", "key:more", "ke", "KEY", "counter2", "*")
    for key in spared:
        await cache.set(key, "value", ttl=MINUTE)
    for key in ("key", "counter"):
        same(await cache.delete(key), True, "deleting a live key claimed that none went")
        same(await cache.delete(key), False, "deleting twice claimed that a key went again")
        same(await cache.get(key), None, "a deleted key was readable")
    same(await cache.get_many(spared), ["value"] * len(spared), "delete removed another key")


@clause(
    "C-031",
    means="A limit is reached too early or never.",
    cause="Counters as floats, or through a script language whose numbers are doubles.",
)
async def increment(trial: Trial) -> None:
    """`increment` adds k and −k, exactly at 2**53 + 1, and text that is an integer counts."""
    cache = await trial.cache()
    steps = (1, 4, -3, _BIG, -1, 1, -_BIG, -10)
    for number, by in enumerate(steps, 1):
        same(await cache.increment("counter", by=by, ttl=MINUTE), sum(steps[:number]), f"adding {by} is not exact")
    same(await cache.get("counter"), str(sum(steps)), "a counter does not read as its decimal text")
    same(await cache.increment("below", by=-2, ttl=MINUTE), -2, "a new counter does not start at 0")
    await cache.set("text", str(_BIG), ttl=MINUTE)
    same(await cache.increment("text", ttl=MINUTE), _BIG + 1, "adding to the text of an integer is not exact")


@clause(
    "C-032",
    needs=["time"],
    means="A value is destroyed by a counter of the same name.",
    cause="Text is parsed leniently, or a type error leaves the adapter, or the value is replaced.",
)
async def no_integer(trial: Trial) -> None:
    """`increment` on a value that is no integer or has no room is `InvalidValue`, and the value stays."""
    cache = await trial.cache()
    for value in ("text", "", "1.5", "1e3", "0x10", "None", "--1", "1 2", " 1", "1_0", "１", str(2**63 - 1)):
        await cache.set("key", value, ttl=MINUTE)
        await raised(InvalidValue, cache.increment("key", ttl=2 * MINUTE), f"{value!r} was incremented")
        same(await cache.get("key"), value, "a refused increment changed the value")
    await gone_exactly_after(trial, MINUTE, cache, "key")


@clause(
    "C-033",
    means="A login form answers with an error of the driver, or stores what nobody can read.",
    cause="`checks.check_entry` is not called before the engine is.",
)
async def keys_refused(trial: Trial) -> None:
    """NUL, lone surrogates, wrong types and impossible sizes are `InvalidValue` in every operation."""
    cache = await trial.cache()
    for key in cast("tuple[str, ...]", _BAD_KEYS):
        for name, call in _calls(cache, key).items():
            await raised(InvalidValue, call(), f"{name} took the key {key!r:.20}")
    for value in cast("tuple[str, ...]", ("nul\0", "lone\ud800", 7, None, b"bytes")):
        await raised(InvalidValue, cache.set("key", value, ttl=MINUTE), f"set took the value {value!r}")
        await raised(InvalidValue, cache.add("key", value, ttl=MINUTE), f"add took the value {value!r}")
    for by in cast("tuple[int, ...]", (1.5, "1", None, True, 2**64)):
        await raised(InvalidValue, cache.increment("key", by=by, ttl=MINUTE), f"increment took the step {by!r}")
    same(await cache.get("key"), None, "a refused value was stored")


@clause(
    "C-034",
    means="What is kept with a token is cut, and the link does not work.",
    cause="An engine or a column that cuts instead of refusing.",
)
async def large_values(trial: Trial) -> None:
    """Values of 1 MiB come back whole or are `InvalidValue`; larger ones are never cut."""
    cache = await trial.cache()
    mebi = 1024 * 1024
    for value in ("x" * mebi, "é" * mebi, "x" * (mebi + 1), "x" * 3 * mebi):
        try:
            await cache.set("key", value, ttl=MINUTE)
        except InvalidValue:
            same(await cache.get("key"), None, "a refused value was stored")
        else:
            same(await cache.pop("key"), value, f"a value of {len(value)} characters came back changed")


@clause(
    "C-036",
    means="Attempts are counted for the wrong client, or lost when two requests meet.",
    cause="Answers are gathered by key; several counters are read and written in several steps.",
)
async def increment_many(trial: Trial) -> None:
    """`increment_many` is atomic for each key and answers in order, duplicates included."""
    cache = await trial.cache()
    same(await cache.increment_many([], ttl=MINUTE), [], "no keys were not answered with no results")
    same(await cache.increment_many(["a", "b", "a"], by=2, ttl=MINUTE), [2, 2, 4], "a duplicate did not count twice")
    same(await cache.increment_many(("b", "c"), ttl=MINUTE), [3, 1], "counters were not answered in order")
    same(await cache.get_many(["a", "b", "c"]), ["4", "3", "1"], "what was answered is not what is kept")
    keys = [str(number) for number in range(500)]
    same(await cache.increment_many(keys, ttl=MINUTE), [1] * 500, "500 counters were not answered")
    for key in "ab":
        await cache.delete(key)
    await counts_two_ways(trial)


@clause(
    "C-040",
    level=2,
    means="A token that was used on one server still works on another.",
    cause="A cache in the handle, in front of the cache; or one in memory, which the harness does not declare.",
)
async def other_handles(trial: Trial) -> None:
    """Other handles see every change at once; what is durable survives closing and opening."""
    first, second = await trial.caches(2)
    same(await first.get("key"), None, "the cache is not empty")
    await second.set("key", "1", ttl=MINUTE)
    same(await first.get("key"), "1", "what one handle set another does not see")
    await first.increment("key", ttl=MINUTE)
    same(await second.get("key"), "2", "what one handle incremented another does not see")
    await second.delete("key")
    same(await first.get("key"), None, "what one handle deleted another still sees")
    same(await first.add("key", "3", ttl=MINUTE), True, "a key that another handle deleted is taken")
    same(await second.add("key", "4", ttl=MINUTE), False, "a key that another handle added is free")
    same(await first.get_many(["key"]), ["3"], "a failed add of another handle changed the value")
    same(await second.pop("key"), "3", "what one handle added another cannot pop")
    same(await first.get("key"), None, "what one handle popped another still sees")
    await first.set("kept", "value", ttl=MINUTE)
    await first.increment("counter", by=7, ttl=MINUTE)
    await trial.close()
    kept = ["value", "7"] if trial.capabilities.backend != "memory" else [None, None]
    same(await (await trial.cache()).get_many(["kept", "counter"]), kept, "closing and opening changed what is kept")
    if trial.capabilities.processes:
        async with elsewhere(trial) as process:
            same(await process.value("kept"), "value", "another process does not see a value")


def _calls(cache: Cache, key: str) -> dict[str, Callable[[], Awaitable[object]]]:
    ttl = timedelta(minutes=1)
    return {
        "get": lambda: cache.get(key),
        "get_many": lambda: cache.get_many(["fine", key]),
        "set": lambda: cache.set(key, "value", ttl=ttl),
        "add": lambda: cache.add(key, "value", ttl=ttl),
        "pop": lambda: cache.pop(key),
        "delete": lambda: cache.delete(key),
        "increment": lambda: cache.increment(key, ttl=ttl),
        "increment_many": lambda: cache.increment_many(["other", key], ttl=ttl),
    }
