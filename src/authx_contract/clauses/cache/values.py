"""Values and keys: the exact round trip, and refusals."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final, cast

from authx_contract.basics.expect import raised, same
from authx_contract.clause import clause
from authx_contract.samples.entries import AWKWARD, MINUTE, gone_exactly_after
from authx_contract.trial import Trial
from authx_core.domain import InvalidValue
from authx_core.ports import Cache

_BAD_KEYS: Final = ("nul\0", "lone\ud800", "", "x" * 513, 7, None, b"bytes")


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
    same(await cache.get_many([]), [], "no keys did not give an empty list")
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
            same(await cache.add(key, "second", ttl=ttl), False, "add over a live key returned True")
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
    same(await cache.delete("nobody"), False, "deleting an absent key returned True")
    await cache.set("key", "", ttl=MINUTE)
    await cache.increment("counter", ttl=MINUTE)
    spared = ("spared", "key:more", "ke", "KEY", "counter2", "*")
    for key in spared:
        await cache.set(key, "value", ttl=MINUTE)
    for key in ("key", "counter"):
        same(await cache.delete(key), True, "deleting a live key returned False")
        same(await cache.delete(key), False, "deleting a key twice returned True again")
        same(await cache.get(key), None, "a deleted key was readable")
    same(await cache.get_many(spared), ["value"] * len(spared), "delete removed another key")


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
