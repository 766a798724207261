"""`new` writes a project that passes the linters, starts red and says what to do next."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import pytest

from authx_adapters.memory import MemoryCache, MemoryUserStore
from authx_contract import Capabilities, Harness, Status, SteppedClock, never_suspends, run_clause
from authx_contract.registry import find
from authx_contract.views.cli import main
from authx_contract.views.template import ORDER, Kind
from authx_core.ports import Cache, UserStore

ROOT: Final = Path(__file__).parents[3]
CHOICES: Final = [[], ["--users", "--cache"], ["--cache", "--asynchronous"]]


def python(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own programs
        [sys.executable, *map(str, arguments)], cwd=folder, capture_output=True, text=True, check=False, timeout=120,
        env=os.environ | {"PYTEST_ADDOPTS": "-p no:asyncio -p no:cacheprovider"},
    )  # fmt: skip


@pytest.fixture(params=CHOICES, ids=" ".join)
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    assert main(["new", "my_adapter", "--into", str(tmp_path), *request.param]) == 0
    return tmp_path


def test_a_new_project_starts_red_in_both_views_and_names_the_missing_methods(folder: Path) -> None:
    done = python(folder, "-m", "authx_contract", "verify", "my_adapter.harness:MyAdapter")
    assert (done.returncode, done.stdout.splitlines()[-1], done.stderr) == (1, "FAILED", "")
    assert "not written yet, and the clauses that wait for it:" in done.stdout
    assert "Traceback" not in done.stdout
    tests = python(folder, "-m", "pytest", "-q", "my_adapter")
    assert tests.returncode == 1, tests.stdout + tests.stderr
    assert "it is not implemented yet" in tests.stdout
    assert "dishonest" not in tests.stdout


@pytest.mark.parametrize("tool", [["mypy", "--strict"], ["ruff", "check"], ["ruff", "format", "--check"]], ids=" ".join)
def test_a_new_project_passes_the_linters(folder: Path, tool: list[str]) -> None:
    if find_spec(tool[0]) is None:
        pytest.skip(f"{tool[0]} is not installed")
    settings = ["--config", str(ROOT / "pyproject.toml")] if tool[0] == "ruff" else []
    done = python(folder, "-m", *tool, *settings, "my_adapter")
    assert done.returncode == 0, done.stdout + done.stderr


def test_new_says_which_methods_to_write_first_and_what_to_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["new", "my_adapter", "--into", str(tmp_path)])
    printed = capsys.readouterr().out
    assert printed.index("create, get") < printed.index("U-001") < printed.index("update") < printed.index("U-030")
    assert "python -m authx_contract verify my_adapter.harness:MyAdapter --level 1 --only U-001" in printed
    assert printed.partition("\n\n")[2].strip() in (tmp_path / "my_adapter" / "README.md").read_text()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("import", "not a name for a package"),
        ("my-adapter", "such as my_adapter"),
        ("../up", "not a name for a package"),
        ("", "not a name for a package"),
        ("json", "would hide"),
        ("authx_core", "would hide"),
        ("there", "is not overwritten"),
    ],
)
def test_an_impossible_name_is_refused_in_a_sentence_and_nothing_is_written(
    name: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "there").mkdir()
    assert main(["new", name, "--into", str(tmp_path)]) == 3
    assert message in capsys.readouterr().err
    assert [*tmp_path.rglob("*")] == [tmp_path / "there"]


def test_a_missing_folder_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", "my_adapter", "--into", str(tmp_path / "nowhere")]) == 3
    assert "is not a folder" in capsys.readouterr().err


def written(kind: Kind, methods: set[str]) -> type[Harness]:
    """Return a harness over a memory adapter that has only these methods."""
    whole, port = {"users": (MemoryUserStore, UserStore), "cache": (MemoryCache, Cache)}[kind]

    async def unwritten(*_: object, **__: object) -> None:
        raise NotImplementedError

    missing = port.__abstractmethods__ - methods
    adapter: Any = type("Adapter", (whole,), dict.fromkeys(missing, unwritten))

    class Begun(Harness):
        capabilities = Capabilities(backend="memory", shared_handle=True)
        handle: Any = None

        async def _open(self, clock: SteppedClock, /) -> Any:
            self.handle = self.handle or (adapter() if kind == "users" else adapter(clock))
            return never_suspends(self.handle)

        async def reset(self) -> None:
            self.handle = None

        close = reset

    setattr(Begun, f"open_{kind}", Begun._open)
    return Begun


@pytest.mark.parametrize("kind", ORDER)
def test_writing_methods_in_the_recommended_order_turns_the_named_clauses_green(kind: Kind) -> None:
    so_far = set[str]()
    for methods, ids in ORDER[kind]:
        harness = written(kind, so_far)
        for clause in find(ids.split()):
            assert run_clause(harness, clause).status is Status.FAILED, f"{clause.id} is green before {methods}"
        so_far |= set(methods.split(", "))
        assert red(written(kind, so_far), ids.split()) == []


def red(harness: type[Harness], ids: Sequence[str]) -> list[str]:
    return [each.id for each in find(ids) if run_clause(harness, each).status is not Status.PASSED]
