"""Both views as an author sees them, each in a new folder and a new process."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

HARNESS = """
from datetime import date
from authx_adapters.memory import MemoryCache
from authx_contract import Capabilities, Harness, Waiver, contract_tests, never_suspends


class Mine(Harness):
    name = "my-cache"
    capabilities = Capabilities(backend="memory", shared_handle=True)
    cache = None

    async def open_cache(self, clock):
        self.cache = self.cache or self.made(clock)
        return never_suspends(self.cache)

    def made(self, clock):
        return MemoryCache(clock)

    async def reset(self):
        self.cache = None


class Forgetful(MemoryCache):
    async def pop(self, key, /):
        return await self.get(key)


class Broken(Mine):
    name = "broken"

    def made(self, clock):
        return Forgetful(clock)


class Waived(Broken):
    name = "waived"
    waivers = [Waiver("C-020", "known", date(9999, 1, 1)), Waiver("C-001", "not so", date(9999, 1, 1))]


class Liar(Mine):
    name = "liar"

    async def reset(self): ...

    async def open_cache(self, clock):
        Liar.cache = Liar.cache or MemoryCache(clock)
        return never_suspends(Liar.cache)


class CannotTell(Mine):
    name = "cannot-tell"
    capabilities = Capabilities(backend="memory", shared_handle=True, clock="server")
"""
TESTS = """
from harness import *

TestMine = contract_tests(Mine, level=1)
TestBroken = contract_tests(Broken, only=["C-001", "C-020"])
TestWaived = contract_tests(Waived, only=["C-001", "C-020"])
TestLiar = contract_tests(Liar, only=["C-001"])
TestCannotTell = contract_tests(CannotTell, only=["C-010"])
"""
COUNTED = """
from authx_contract.views import pytest as view
from harness import *

check = view.check_harness


def checked(*arguments, **options):
    print("checked")
    return check(*arguments, **options)


view.check_harness = checked


class Printing(Mine):
    def made(self, clock):
        print("opened")
        return super().made(clock)


TestPrinting = contract_tests(Printing, only=["C-001", "C-002", "C-020"])
"""
BARE = ("-p", "no:asyncio", "-p", "no:anyio")
"""Options that disable all plugins for asynchronous tests."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "harness.py").write_text(HARNESS)
    (tmp_path / "test_harness.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    return tmp_path


def python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own program
        [sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )


def verify(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return python(folder, "-m", "authx_contract", "verify", *arguments)


@pytest.mark.parametrize(
    "plugins",
    [
        ["-p", "no:asyncio", "-p", "no:anyio"],
        ["-p", "no:anyio", "--asyncio-mode=strict"],
        ["-p", "no:anyio", "--asyncio-mode=auto"],
        ["-p", "no:asyncio"],
        ["--asyncio-mode=auto", "-W", "error"],
    ],
    ids=["none", "asyncio-strict", "asyncio-auto", "anyio", "both"],
)
def test_pytest_shows_a_test_for_each_adapter_and_clause_with_any_plugin(folder: Path, plugins: list[str]) -> None:
    done = python(folder, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", *plugins)
    found = re.findall(r"^([A-Z]+) test_harness\.py::Test(\w+)::test_clause\[([A-Z]-\d+)\]", done.stdout, re.MULTILINE)
    ended = {(adapter, clause): how for how, adapter, clause in found}
    assert ended["Mine", "C-020"] == ended["Broken", "C-001"] == "PASSED"
    assert ended["Broken", "C-020"] == ended["Waived", "C-001"] == ended["Liar", "C-001"] == "FAILED"
    assert ended["CannotTell", "C-010"] == "FAILED"
    assert ended["Waived", "C-020"] == "XFAIL"
    assert "SKIPPED" in done.stdout, "C-006 needs namespaces, which are not declared"
    assert "the harness is dishonest: `reset` left a key behind" in done.stdout
    assert "nothing can be run: every clause would be skipped" in done.stdout
    assert done.returncode == 1


def test_pytest_fails_with_the_explanation_and_nothing_else(folder: Path) -> None:
    done = python(folder, "-m", "pytest", "-q", "-p", "no:cacheprovider", *BARE, "-k", "TestBroken and C-020")
    shown = done.stdout.partition("_ TestBroken.test_clause[C-020] _")[2].partition("\n")[2].partition("\n===")[0]
    assert shown.splitlines()[:2] == [
        "C-020 failed: `pop` gives the value once.",
        "observed:  a second pop gave the value again",
    ], done.stdout
    assert "usually:   The value is read and not removed" in shown
    assert "Traceback" not in shown
    assert ".py:" not in shown


def test_the_harness_is_checked_once_before_the_first_clause(folder: Path) -> None:
    (folder / "test_harness.py").write_text(COUNTED)
    done = python(folder, "-m", "pytest", "-q", "-s", "-p", "no:cacheprovider", *BARE)
    assert "3 passed" in done.stdout, done.stdout
    assert done.stdout.count("checked") == 1
    assert done.stdout.index("checked") < done.stdout.index("opened")


def test_workers_of_xdist_collect_the_same_tests(folder: Path) -> None:
    done = python(folder, "-m", "pytest", "-q", "-n", "2", *BARE, "-k", "TestMine or TestBroken")
    assert "1 failed" in done.stdout, done.stdout
    assert "C-020 failed: `pop` gives the value once." in done.stdout


def test_one_clause_can_be_selected_by_its_id(folder: Path) -> None:
    done = python(folder, "-m", "pytest", "-q", "-p", "no:asyncio", "test_harness.py::TestMine::test_clause[C-020]")
    assert "1 passed" in done.stdout, done.stdout


def test_importing_the_suite_loads_neither_pytest_nor_hypothesis_nor_rich(folder: Path) -> None:
    program = "import sys, authx_contract; print(*{name.partition('.')[0] for name in sys.modules})"
    assert not {"pytest", "hypothesis", "rich", "authx_adapters"} & set(python(folder, "-c", program).stdout.split())


EARLIER = '{"schemaVersion": 1, "label": "authx contract", "message": "conforms (level 1)", "color": "brightgreen"}'


@pytest.mark.parametrize(
    ("arguments", "code", "verdict"),
    [
        (["harness:Mine", "--level", "1"], 0, "CONFORMS (level 1)"),
        (["harness:Broken", "--level", "1"], 1, "FAILED"),
        (["harness:Waived", "--level", "1"], 1, "FAILED"),
        (["harness:CannotTell", "--level", "1"], 2, "INCOMPLETE"),
        (["harness:CannotTell", "--only", "C-010,C-011"], 2, "NOT RUN"),
        (["harness:Mine", "--only", "C-001"], 2, "INCOMPLETE"),
        (["harness:Liar"], 4, "DISHONEST HARNESS"),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, list) else None,
)
def test_the_command_line_ends_with_the_verdict_and_only_conformity_has_a_badge(
    folder: Path, arguments: list[str], code: int, verdict: str
) -> None:
    (folder / "badge.json").write_text(EARLIER)
    done = verify(folder, *arguments, "--badge", "badge.json")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (code, verdict), done.stdout + done.stderr
    assert (folder / "badge.json").exists() is (code == 0)


def test_a_harness_that_cannot_be_imported_has_no_badge(folder: Path) -> None:
    (folder / "badge.json").write_text(EARLIER)
    assert "removed badge.json" in verify(folder, "nowhere:Mine", "--badge", "badge.json").stderr
    assert not (folder / "badge.json").exists()


def test_a_file_that_is_not_a_badge_is_not_removed(folder: Path) -> None:
    (folder / "badge.json").write_text('{"label": "mine"}')
    assert verify(folder, "harness:Broken", "--only", "C-001", "--badge", "badge.json").returncode != 0
    assert (folder / "badge.json").read_text() == '{"label": "mine"}'


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "which harness?"),
        (["harness"], "is not MODULE:CLASS"),
        (["./harness.py:Mine"], "is not MODULE:CLASS"),
        (["nowhere:Mine"], "No module named 'nowhere'"),
        (["harness:Nobody"], "no attribute 'Nobody'"),
        (["harness:MemoryCache"], "is not a subclass"),
        (["harness:Mine", "--only", "X-1"], "there is no clause X-1"),
        (["harness:Mine", "--only", "C-001,U-001"], "does not open the port of U-001"),
        (["harness:Mine", "--level", "7"], "invalid choice"),
        (["harness:Mine", "--only", "C-001", "--json", "nowhere/r.json"], "cannot be written"),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, list) else None,
)
def test_wrong_arguments_are_exit_3_and_one_clear_sentence(folder: Path, arguments: list[str], message: str) -> None:
    done = verify(folder, *arguments)
    assert done.returncode == 3
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_reports_contain_the_explanations_even_with_assertions_disabled(folder: Path) -> None:
    arguments = ("verify", "harness:Broken", "--level", "1", "--seed", "7", "--json", "r.json", "--markdown", "r.md")
    done = python(folder, "-O", "-m", "authx_contract", *arguments)
    assert done.returncode == 1, done.stderr
    data = json.loads((folder / "r.json").read_text())
    ended = {each["id"]: each for each in data["clauses"]}
    assert (data["verdict"], data["seed"], ended["C-001"]["status"]) == ("FAILED", 7, "passed")
    assert "a second pop gave the value again" in ended["C-020"]["observed"]
    assert "A reset link works twice." in (folder / "r.md").read_text()


def test_a_clause_is_explained_and_all_are_listed_without_a_harness(folder: Path) -> None:
    explained = verify(folder, "--explain", "c-021")
    assert explained.returncode == 0
    assert "use `GETDEL`" in explained.stdout
    assert verify(folder, "--list").stdout == python(folder, "-m", "authx_contract", "list").stdout


def test_a_reader_that_has_seen_enough_ends_the_list_without_a_traceback(folder: Path) -> None:
    listing = [sys.executable, "-u", "-m", "authx_contract", "list"]
    with subprocess.Popen(listing, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:  # noqa: S603
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141
