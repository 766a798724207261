"""Measure the overhead of the core over the bare driver, as ratios within one run: `nox -s bench`.

The timings of an operation and of its baseline alternate, so that a slow minute affects both. Each round gives one
ratio; the median and the range of the ratios are printed. A range that includes 1 shows no difference. The harness in
the project's shared bench folder measures other libraries and engines.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import create_async_engine

from authx_adapters.clock import SystemClock
from authx_adapters.memory import MemoryCache
from authx_adapters.passlib import PasslibHasher
from authx_adapters.sqlalchemy import SQLAlchemyUserStore
from authx_adapters.threaded import Threaded
from authx_core import BlockingUsersRepo, NewUser, PasswordHasher, UsersRepo, UserStore, run

USERS, ROUNDS, CALLS = 1_000, 7, 1_000
PASSWORD = "seven teaspoons of static"


def rate(call: Callable[[int], object]) -> float:
    """Return calls per second."""
    begin = time.perf_counter()
    for number in range(CALLS):
        call(number % USERS)
    return CALLS / (time.perf_counter() - begin)


def show(name: str, baseline: str, ratios: list[float]) -> None:
    """Print a ratio with its range."""
    median = statistics.median(ratios)
    print(f"{name:<44} {median:6.2f} of {baseline}  ({min(ratios):.2f}–{max(ratios):.2f})")


def compare(name: str, call: Callable[[int], object], baseline: str, base: Callable[[int], object]) -> None:
    """Time both in alternation and show the ratio of their rates."""
    rounds: list[float] = []
    for number in range(ROUNDS):
        first, second = (call, base) if number % 2 else (base, call)
        rates = {first: rate(first), second: rate(second)}
        rounds.append(rates[call] / rates[base])
    show(name, baseline, rounds)


def blocking(path: Path, ids: list[str]) -> None:
    """Compare the blocking store and facade with the standard library's driver."""
    driver = sqlite3.connect(path, isolation_level=None)
    engine = create_engine(f"sqlite:///{path}")
    store = SQLAlchemyUserStore(engine)
    users = BlockingUsersRepo(repo(store))

    def bare(number: int) -> object:
        row = driver.execute("SELECT * FROM authx_users WHERE id = ?", (ids[number],)).fetchone()
        return json.loads(row[12])

    compare("store.get on SQLite", lambda number: run(store.get(ids[number])), "bare sqlite3", bare)
    compare("users.get", lambda number: users.get(ids[number]), "store.get", lambda number: run(store.get(ids[number])))
    driver.close()
    engine.dispose()


async def asynchronous(path: Path, ids: list[str]) -> None:
    """Compare two ways to use SQLite from an event loop, and measure how long ten logins block the loop."""
    engine, threaded_engine = create_async_engine(f"sqlite+aiosqlite:///{path}"), create_engine(f"sqlite:///{path}")
    aiosqlite, threaded = SQLAlchemyUserStore(engine), Threaded(SQLAlchemyUserStore(threaded_engine))

    async def paced(get: Callable[[str], Awaitable[object]]) -> float:
        begin = time.perf_counter()
        for number in range(CALLS):
            await get(ids[number % USERS])
        return CALLS / (time.perf_counter() - begin)

    show(
        "Threaded store.get",
        "aiosqlite",
        [await paced(threaded.get) / await paced(aiosqlite.get) for _ in range(ROUNDS)],
    )
    for name, hasher in (("in the loop", PasslibHasher()), ("Threaded", Threaded(PasslibHasher(), workers=2))):
        print(
            f"longest stall during ten logins, hasher {name:<12} {1000 * await stall(repo(threaded, hasher)):8.1f} ms"
        )
    await engine.dispose()
    threaded_engine.dispose()


async def stall(users: UsersRepo) -> float:
    """Return the longest time that the event loop was blocked during ten logins."""
    logins = asyncio.gather(*(users.authenticate("user-0", PASSWORD) for _ in range(10)))
    longest, last = 0.0, time.perf_counter()
    while not logins.done():
        await asyncio.sleep(0)
        longest, last = max(longest, time.perf_counter() - last), time.perf_counter()
    await logins
    return longest


def repo(store: UserStore, hasher: PasswordHasher | None = None) -> UsersRepo:
    """Build a facade."""
    clock = SystemClock()
    return UsersRepo(store, MemoryCache(clock), clock=clock, hasher=hasher or PasslibHasher())


def main() -> None:
    """Fill a database and measure on it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "users.db"
        engine = create_engine(f"sqlite:///{path}")
        store = SQLAlchemyUserStore(engine)
        run(store.create_schema())
        users = BlockingUsersRepo(repo(store))
        ids = [
            users.create(NewUser(username=f"user-{number}", email=f"{number}@example.com")).id
            for number in range(USERS)
        ]
        users.set_password(ids[0], PASSWORD)
        engine.dispose()
        blocking(path, ids)
        asyncio.run(asynchronous(path, ids))


if __name__ == "__main__":
    main()
