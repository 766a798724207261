"""``python -m authx_adapters.identifiers`` on every engine."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

import servers
from authx_adapters import connect
from authx_adapters.clock import ManualClock
from authx_adapters.identifiers import main
from authx_core import User, UserStore
from servers.spaces import DatabaseKind

ENGINES: list[DatabaseKind | None] = [None, "postgres", "mariadb", "mongodb"]


@contextmanager
def space(kind: DatabaseKind | None, folder: Path) -> Generator[str, None, None]:
    if kind is None:
        yield f"sqlite:///{folder / 'users.db'}"
        return
    with servers.database(kind) as url:
        yield url


async def put(store: UserStore, id_: str, **fields: str) -> None:
    await store.create(User(id=id_, created_at=ManualClock().now(), **fields))  # type: ignore[arg-type]  # names only


@pytest.mark.parametrize("kind", ENGINES, ids=str)
def test_collisions_are_listed_and_all_other_keys_are_updated(
    kind: DatabaseKind | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def fill(url: str) -> None:
        async with connect(url) as users:
            await put(users.database, "a", username="Ana", username_key="ana")
            await put(users.database, "b", username="παπάς", username_key="παπάς")
            await put(users.database, "c", username="Straße", username_key="straße")
            await put(users.database, "d", username="Strasse", username_key="strasse")
            await put(users.database, "e", email="x＠y.z@example.org", email_key="x＠y.z@example.org")

    async def keys(url: str) -> list[tuple[str | None, int]]:
        async with connect(url) as users:
            return [(user.username_key, user.version) for user in await users.search_after(size=9)]

    with space(kind, tmp_path) as url:
        asyncio.run(fill(url))
        assert main([url, "--json"]) == 2
        found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert [(each["user_id"], each["verdict"], each["key"], each["others"]) for each in found] == [
            ("b", "changes", "παπάσ", []),
            ("c", "collides", "strasse", ["d"]),
            ("e", "refused", None, []),
        ]
        before = [("ana", 1), ("παπάς", 1), ("straße", 1), ("strasse", 1), (None, 1)]
        assert asyncio.run(keys(url)) == before
        assert main([url, "--apply"]) == 2
        assert "1 written, 2 left" in capsys.readouterr().out
        assert asyncio.run(keys(url)) == [before[0], ("παπάσ", 2), *before[2:]]


def test_the_exit_code_is_zero_if_no_key_changes(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "authx_adapters.identifiers"]
    done = subprocess.run([*command, f"sqlite:///{tmp_path / 'users.db'}"], capture_output=True, text=True, check=True)  # noqa: S603 - our own command
    assert (done.stdout, done.stderr) == ("All keys stand.\n", "")


@pytest.mark.parametrize("url", ["postgresql://localhost:1/x", "redis://localhost", "nothing"])
def test_an_unreachable_or_invalid_url_exits_with_3(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([url]) == 3
    assert capsys.readouterr().err.startswith("python -m authx_adapters.identifiers: ")


def test_a_usage_error_exits_with_3() -> None:
    with pytest.raises(SystemExit) as caught:
        main([])
    assert caught.value.code == 3
