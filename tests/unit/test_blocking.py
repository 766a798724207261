"""The blocking facade: the same operations without an event loop."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from authx_adapters.clock import ManualClock
from authx_adapters.memory import MemoryCache, MemoryUserStore
from authx_adapters.passlib import PasslibHasher
from authx_core import BlockingUsersRepo, Suspended, UserNotFound, UsersRepo, blocking, run

OPERATIONS = [
    name
    for name, member in inspect.getmembers(UsersRepo, inspect.isfunction)
    if (not name.startswith(("_", "on_")) and name not in {"publish", "aclose"}) or name == "_check_timeout_and_incr"
]


class Accounts(UsersRepo):
    """A facade with an additional operation and an override."""

    async def double(self, number: int, *, plus: int = 0) -> int:
        """Return twice a number."""
        return number * 2 + plus

    async def get(self, id: str) -> Any:  # noqa: A002 - the facade's name
        """Raise `UserNotFound` for every id."""
        raise UserNotFound(id)


class BlockingAccounts(BlockingUsersRepo):
    """The blocking facade of `Accounts`."""

    double = blocking(Accounts.double)


@pytest.fixture
def accounts(clock: ManualClock, hasher: PasslibHasher) -> BlockingAccounts:
    return BlockingAccounts(Accounts(MemoryUserStore(), MemoryCache(clock), clock=clock, hasher=hasher))


def test_run_returns_what_the_coroutine_returns() -> None:
    async def seven() -> int:
        return 7

    assert run(seven()) == 7


def test_run_raises_what_the_coroutine_raises() -> None:
    async def fail() -> None:
        raise UserNotFound("7")

    with pytest.raises(UserNotFound):
        run(fail())


def test_run_refuses_a_coroutine_that_waits_and_lets_it_clean_up() -> None:
    cleaned = []

    async def wait() -> None:
        try:
            await asyncio.sleep(0)
        finally:
            cleaned.append(True)

    with pytest.raises(Suspended, match=r"wait: an asynchronous adapter"):
        run(wait())
    assert cleaned == [True]


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_has_a_blocking_twin(accounts: BlockingAccounts, name: str) -> None:
    users = UsersRepo(**ports(accounts))
    twin, original = getattr(BlockingUsersRepo(users), name, None), getattr(users, name)
    assert twin is not None, f"BlockingUsersRepo lacks {name}"
    assert inspect.iscoroutinefunction(original), f"{name} is not a coroutine function, so `blocking` cannot wrap it"
    assert inspect.signature(twin) == inspect.signature(original)
    assert inspect.getdoc(twin) == inspect.getdoc(original)
    assert twin.__name__ == name
    assert not inspect.iscoroutinefunction(twin)


def ports(accounts: BlockingAccounts) -> dict[str, Any]:
    users = accounts.users
    return {"database": users.database, "cache": users.cache, "clock": users.clock, "hasher": users.hasher}


def test_every_blocking_twin_has_an_original() -> None:
    twins = {name for name, member in vars(BlockingUsersRepo).items() if isinstance(member, blocking)}
    assert twins == set(OPERATIONS)


def test_a_subclass_can_add_and_override_operations(accounts: BlockingAccounts) -> None:
    assert accounts.double(4, plus=1) == 9
    with pytest.raises(UserNotFound):
        accounts.get("7")


def test_a_twin_accessed_on_its_class_keeps_the_docstring() -> None:
    twin: Any = BlockingAccounts.double
    assert isinstance(twin, blocking)
    assert twin.__doc__ == "Return twice a number."


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_has_a_docstring(name: str) -> None:
    operation: Callable[..., Coroutine[Any, Any, Any]] = getattr(UsersRepo, name)
    assert operation.__doc__
