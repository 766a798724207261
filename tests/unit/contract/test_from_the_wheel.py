"""The contract as the author of an adapter uses it: from the built wheel, in a new environment, in both views.

The new environment shares the other packages of this one, so that nothing is downloaded.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import venv
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import attrs
import pytest

ROOT: Final = Path(__file__).parents[3]
ADAPTER: Final = """
import time

SERVER = {}  # the values and deadlines of a server whose clock is its own


class MyCache:  # the way most projects write it: get, then set; nothing checked
    async def get_many(self, keys):
        return [await self.get(key) for key in keys]

    async def get(self, key):
        value, deadline = SERVER.get(key, (None, 0))
        return value if time.time() < deadline else None

    async def set(self, key, value, *, ttl):
        SERVER[key] = value, time.time() + int(ttl.total_seconds())

    async def add(self, key, value, *, ttl):
        if key in SERVER:
            return False
        await self.set(key, value, ttl=ttl)
        return True

    async def pop(self, key):
        value = await self.get(key)
        await self.delete(key)
        return value

    async def delete(self, key):
        SERVER.pop(key, None)
        return True

    async def increment_many(self, keys, *, by=1, ttl):
        return [await self.increment(key, by=by, ttl=ttl) for key in keys]

    async def increment(self, key, *, by=1, ttl):
        count = int(await self.get(key) or 0) + by
        await self.set(key, str(count), ttl=ttl)
        return count
"""
HARNESS: Final = """
from authx_contract import Capabilities, Harness, contract_tests
from my_package.adapter import SERVER, MyCache


class MyRedis(Harness):
    name = "my-redis"
    capabilities = Capabilities(clock="server")

    async def open_cache(self, clock):
        return MyCache()

    async def reset(self):
        SERVER.clear()

    async def rewind(self, by):
        SERVER.update({key: (value, end - by.total_seconds()) for key, (value, end) in SERVER.items()})


TestMyRedis = contract_tests(MyRedis, level=1)
"""


@attrs.frozen
class Environment:
    python: Path
    project: Path

    def run(self, *arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        settings = {"PYTHONPATH": str(self.project), "PYTEST_ADDOPTS": "-p no:asyncio -p no:cacheprovider"}
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("COV", "PYTEST"))}
        return subprocess.run(  # noqa: S603 - our own programs
            [str(self.python), *map(str, arguments)], cwd=cwd or self.project, env=clean | settings,
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    folder = tmp_path_factory.mktemp("author")
    venv.create(folder / "venv", with_pip=False, symlinks=True)
    python = folder / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    site = Path(sysconfig.get_path("purelib", vars={"base": str(folder / "venv")}))
    (site / "others.pth").write_text(sysconfig.get_path("purelib"))
    # Without hatchling, pip downloads the build backend; the dependency group `test` has it.
    here = ["--no-build-isolation"] if find_spec("hatchling") else []
    _pip("wheel", "-q", "--no-deps", *here, "--wheel-dir", folder, ROOT)
    (wheel,) = folder.glob("*.whl")
    _pip("--python", python, "install", "-q", "--no-deps", "--ignore-installed", wheel)
    package = folder / "project" / "my_package"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "adapter.py").write_text(ADAPTER)
    (package / "harness.py").write_text(HARNESS)
    (package / "test_harness.py").write_text("from my_package.harness import TestMyRedis\n")
    return Environment(python, folder / "project")


def _pip(*arguments: object) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)  # noqa: S603 - the same
    assert done.returncode == 0, done.stderr


def explanations(printed: str) -> dict[str, str]:
    """Return the usual cause of each observation that was printed."""
    found = re.findall(
        r"^observed:  (.*?)^means:     .*?^usually:   (.*?)(?=\n\S|\n\n|\Z)", printed, re.DOTALL | re.MULTILINE
    )
    return dict(found)


def test_the_suite_is_imported_from_the_wheel(environment: Environment) -> None:
    where = environment.run("-c", "import authx_contract.clauses as found; print(found.__file__)").stdout
    assert environment.python.parents[1] in Path(where).parents


def test_the_wheel_has_no_plugin_for_pytest(environment: Environment) -> None:
    program = "from importlib.metadata import distribution as of; print(len(of('authx-users').entry_points))"
    assert environment.run("-c", program).stdout.strip() == "0"


@pytest.mark.parametrize("optimised", [[], ["-O"]], ids=["", "-O"])
@pytest.mark.parametrize("where", ["in the project", "elsewhere"])
def test_the_command_line_explains_common_mistakes(
    environment: Environment, tmp_path: Path, where: str, optimised: list[str]
) -> None:
    command = [*optimised, "-m", "authx_contract", "verify", "my_package.harness:MyRedis", "--level", "1"]
    done = environment.run(*command, cwd=tmp_path if where == "elsewhere" else None)
    assert (done.returncode, done.stderr, done.stdout.splitlines()[-1]) == (1, "", "FAILED")
    assert len(set(explanations(done.stdout).values())) >= 10
    assert "Traceback" not in done.stdout


@pytest.mark.parametrize("optimised", [[], ["-O"]], ids=["", "-O"])
@pytest.mark.parametrize("where", ["in the project", "elsewhere"])
def test_pytest_explains_common_mistakes(
    environment: Environment, tmp_path: Path, where: str, optimised: list[str]
) -> None:
    path = environment.project / "my_package" if where == "elsewhere" else "my_package"
    done = environment.run(*optimised, "-m", "pytest", path, cwd=tmp_path if where == "elsewhere" else None)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "TestMyRedis::test_clause[C-017]" in done.stdout
    assert len(set(explanations(done.stdout).values())) >= 10
    assert "Traceback" not in done.stdout


def test_a_template_starts_red(environment: Environment, tmp_path: Path) -> None:
    assert environment.run("-m", "authx_contract", "new", "mine", cwd=tmp_path).returncode == 0
    done = environment.run("-m", "authx_contract", "verify", "mine.harness:Mine", cwd=tmp_path)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (1, "FAILED")
