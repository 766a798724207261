"""From a URL to working users."""

from __future__ import annotations

from pathlib import Path

import pytest

from authx_adapters import connect, connect_blocking
from authx_core import InvalidPolicy, InvalidValue, User, UserCreated, UsersRepo


class Greeting(UsersRepo):
    greeted: list[str]

    async def on_user_created(self, event: UserCreated, /) -> None:
        self.greeted = [event.user.id]


@pytest.mark.parametrize("scheme", ["memory://", "sqlite:///", "sqlite+pysqlite:///", "sqlite+aiosqlite:///"])
async def test_an_asynchronous_repo_from_a_url(scheme: str, tmp_path: Path) -> None:
    url = scheme if scheme == "memory://" else f"{scheme}{tmp_path}/users.db"
    async with connect(url, repo=Greeting) as users:
        user = await users.create({"email": "ana@example.com"})
        assert await users.get_by_login("ANA@example.com") == user
        assert isinstance(users, Greeting)
        assert users.greeted == [user.id]


@pytest.mark.parametrize("scheme", ["memory://", "sqlite:///"])
def test_a_blocking_repo_from_a_url(scheme: str, tmp_path: Path) -> None:
    url = scheme if scheme == "memory://" else f"{scheme}{tmp_path}/users.db"
    with connect_blocking(url) as users:
        user = users.create({"email": "ana@example.com", "password": "a long enough passphrase"})
        assert users.authenticate("ana@example.com", "a long enough passphrase") == user


def test_users_are_still_there_after_opening_again(tmp_path: Path) -> None:
    found: list[User | None] = []
    for _ in range(2):
        with connect_blocking(f"sqlite:///{tmp_path}/users.db") as users:
            found.append(users.get_by_username("ana") or users.create({"username": "ana"}))
    assert found[0] == found[1]


@pytest.mark.parametrize(
    "url", ["", "oracle://localhost", "sqlite://", "sqlite:///:memory:", "sqlite+aiosqlite://", None]
)
async def test_any_other_url_is_refused(url: str) -> None:
    with pytest.raises(InvalidValue, match="url"):
        async with connect(url):
            pass
    with pytest.raises(InvalidValue, match="url"), connect_blocking(url):
        pass


def test_an_impossible_expiration_is_refused() -> None:
    with pytest.raises(InvalidPolicy, match="access_expiration"), connect_blocking("memory://", access_expiration=0):
        pass
