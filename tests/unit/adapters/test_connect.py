"""From a URL to working users."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from authx_adapters import connect, connect_blocking, open_users, open_users_blocking
from authx_core import InvalidPolicy, InvalidValue, StoreUnavailable, User, UserCreated, UsersRepo


class Greeting(UsersRepo):
    greeted: list[str]

    async def on_user_created(self, event: UserCreated, /) -> None:
        self.greeted = [event.user.id]


@pytest.mark.parametrize("scheme", ["memory://", "sqlite:///", "sqlite+pysqlite:///", "sqlite+aiosqlite:///"])
async def test_connect_opens_an_asynchronous_repo(scheme: str, tmp_path: Path) -> None:
    url = scheme if scheme == "memory://" else f"{scheme}{tmp_path}/users.db"
    async with connect(url, repo=Greeting) as users:
        user = await users.create({"email": "ana@example.com"})
        assert await users.get_by_login("ANA@example.com") == user
        assert isinstance(users, Greeting)
        assert users.greeted == [user.id]


@pytest.mark.parametrize("scheme", ["memory://", "sqlite:///"])
def test_connect_blocking_opens_a_blocking_repo(scheme: str, tmp_path: Path) -> None:
    url = scheme if scheme == "memory://" else f"{scheme}{tmp_path}/users.db"
    with connect_blocking(url) as users:
        user = users.create({"email": "ana@example.com", "password": "a long enough passphrase"})
        assert users.authenticate("ana@example.com", "a long enough passphrase") == user


def test_users_are_still_there_after_reopening(tmp_path: Path) -> None:
    found: list[User | None] = []
    for _ in range(2):
        with connect_blocking(f"sqlite:///{tmp_path}/users.db") as users:
            found.append(users.get_by_username("ana") or users.create({"username": "ana"}))
    assert found[0] == found[1]


@pytest.mark.parametrize(
    "url", ["", "oracle://localhost", "sqlite://", "sqlite:///:memory:", "sqlite+aiosqlite://", None]
)
async def test_an_unsupported_url_is_refused(url: str) -> None:
    with pytest.raises(InvalidValue, match="url"):
        async with connect(url):
            pass
    with pytest.raises(InvalidValue, match="url"), connect_blocking(url):
        pass


def test_an_impossible_expiration_is_refused() -> None:
    with pytest.raises(InvalidPolicy, match="access_expiration"), connect_blocking("memory://", access_expiration=0):
        pass


@pytest.mark.parametrize("scheme", ["memory://", "sqlite:///", "sqlite+aiosqlite:///"])
async def test_users_are_opened_for_the_life_of_an_application(scheme: str, tmp_path: Path) -> None:
    url = scheme if scheme == "memory://" else f"{scheme}{tmp_path}/users.db"
    users = await open_users(url, repo=Greeting)
    gc.collect()
    user = await users.create({"username": "ana"})
    assert users.greeted == [user.id]
    for _ in range(2):
        await users.aclose()


@pytest.mark.parametrize("scheme", ["memory://", "sqlite:///"])
def test_users_are_opened_for_the_life_of_a_blocking_application(scheme: str, tmp_path: Path) -> None:
    url = scheme if scheme == "memory://" else f"{scheme}{tmp_path}/users.db"
    users = open_users_blocking(url)
    gc.collect()
    assert users.get(users.create({"username": "ana"}).id) is not None
    for _ in range(2):
        users.close()


async def test_users_stay_open_without_their_context_manager_and_warn_when_they_are_collected() -> None:
    users = await connect("memory://").__aenter__()
    gc.collect()
    assert (await users.create({"username": "ana"})).username == "ana"
    with pytest.warns(ResourceWarning, match=r"connect\(…\) at .*test_connect\.py:\d+ was never closed: await users"):  # noqa: PT031 - both lines are needed for the warning
        del users
        gc.collect()


async def test_forgetting_to_close_warns_and_names_the_call_that_opened() -> None:
    users = await open_users("memory://")
    with pytest.warns(ResourceWarning, match=r"open_users\(…\) at .*test_connect\.py:\d+ .*: await users\.aclose\(\)"):  # noqa: PT031 - both lines are needed for the warning
        del users
        gc.collect()
    blocking = open_users_blocking("memory://")
    with pytest.warns(ResourceWarning, match=r"open_users_blocking\(…\) at .*test_connect\.py:\d+ .*: users\.close"):  # noqa: PT031 - both lines are needed for the warning
        del blocking
        gc.collect()


def test_using_connect_without_a_block_says_what_to_write() -> None:
    asynchronous: Any = connect("memory://")
    with pytest.raises(
        AttributeError, match=r"'create'.*`async with connect\(…\) as users:`.*`users = await open_users"
    ):
        asynchronous.create({"username": "ana"})
    blocking: Any = connect_blocking("memory://")
    with pytest.raises(AttributeError, match=r"'create'.*`with connect_blocking\(…\) as users:`.*open_users_blocking"):
        blocking.create({"username": "ana"})
    assert not hasattr(blocking, "get")


async def none_left(before: set[threading.Thread]) -> bool:
    """Return whether all new threads have ended; the watchdog of SQL calls lingers for a second."""
    while {thread.name for thread in set(threading.enumerate()) - before} == {"authx-deadlines"}:  # noqa: ASYNC110 - a thread's end cannot be awaited
        await asyncio.sleep(0.05)
    return set(threading.enumerate()) <= before


def fail() -> None:
    raise ZeroDivisionError


async def test_an_error_in_the_block_keeps_its_traceback_and_closes_everything(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    for url in ("memory://", f"sqlite:///{tmp_path}/users.db"):
        with pytest.raises(ZeroDivisionError) as raised:
            async with connect(url):
                fail()
        assert [entry.name for entry in raised.traceback][-1] == "fail"
        with pytest.raises(ZeroDivisionError) as raised, connect_blocking(url):
            fail()
        assert [entry.name for entry in raised.traceback][-1] == "fail"
    assert await none_left(before)


async def test_no_thread_is_left_after_closing(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    url = f"sqlite:///{tmp_path}/users.db"
    async with connect(url, cache_url=url, timeout=60, cache_timeout=60) as users:
        creating = (users.create({"username": f"user{n}", "password": "seven teaspoons of static"}) for n in range(4))
        await asyncio.gather(*creating)
        assert len(set(threading.enumerate()) - before) >= 3  # hashes, writes, reads
    assert await none_left(before)


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), True, "5", None])
def test_an_impossible_timeout_is_refused_by_name(timeout: Any) -> None:
    with pytest.raises(InvalidValue, match=r"^timeout: "):
        connect("memory://", timeout=timeout)
    with pytest.raises(InvalidValue, match=r"^cache_timeout: "):
        connect_blocking("memory://", cache_timeout=timeout)


async def test_an_unknown_option_is_a_type_error() -> None:
    misspelt: Any = {"cashe_url": "memory://"}
    with pytest.raises(TypeError, match="cashe_url"):
        connect("memory://", **misspelt)
    with pytest.raises(TypeError, match="cashe_url"):
        await open_users("memory://", **misspelt)


@pytest.mark.parametrize("scheme", ["memory://", "sqlite:///", "sqlite+aiosqlite:///"])
async def test_a_closed_facade_refuses_every_call(scheme: str, tmp_path: Path) -> None:
    url = scheme if scheme == "memory://" else f"{scheme}{tmp_path}/users.db"
    users = await open_users(url)
    await users.aclose()
    await users.aclose()
    for call in (users.get("7"), users.create({"username": "ana"}), users.authenticate("ana", "a long passphrase")):
        with pytest.raises(StoreUnavailable, match="this facade is closed"):
            await call


def outcome(program: str) -> str:
    """Run a program in a new interpreter and return its output."""
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)  # noqa: S603 - our own program
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("module", "field", "url", "extra"),
    [
        ("sqlalchemy", "url", "sqlite:///users.db", "sqlalchemy"),
        ("sqlalchemy", "cache_url", "postgresql://localhost/d", "postgresql"),
        ("psycopg", "url", "postgres://localhost/d", "postgresql"),
        ("pymysql", "cache_url", "mariadb://localhost/d", "mariadb"),
        ("pymongo", "url", "mongodb://localhost/d", "mongodb"),
        ("redis", "cache_url", "redis+cluster://localhost", "redis"),
        ("passlib", "hasher", "memory://", "passlib"),
    ],
)
def test_a_driver_that_is_not_installed_is_named_with_its_extra(module: str, field: str, url: str, extra: str) -> None:
    urls = {"url": "memory://", "cache_url": "memory://"} | ({field: url} if field != "hasher" else {})
    printed = outcome(
        f"import sys; sys.modules[{module!r}] = None\n"
        "from authx_adapters import connect_blocking\n"
        "from authx_core import InvalidValue\n"
        f"try: connect_blocking(**{urls}).__enter__()\n"
        "except InvalidValue as error: print(error)"
    )
    assert printed == f"{field}: needs a package that is not installed: pip install 'authx-users[{extra}]'"


def test_importing_the_adapters_loads_no_driver() -> None:
    loaded = outcome("import sys, authx_adapters; print(*{name.partition('.')[0] for name in sys.modules})").split()
    assert "authx_adapters" in loaded
    assert not {"sqlalchemy", "pymongo", "redis", "passlib"} & set(loaded)
