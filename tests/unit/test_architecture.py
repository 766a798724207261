"""The core imports nothing but its five libraries."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import authx_core

ROOT = Path(authx_core.__file__).parent
FOREIGN = {
    "aiosqlite",
    "alembic",
    "argon2",
    "asyncpg",
    "bcrypt",
    "bson",
    "dns",
    "django",
    "fastapi",
    "flask",
    "greenlet",
    "hypothesis",
    "litestar",
    "motor",
    "passlib",
    "psycopg",
    "pymongo",
    "pytest",
    "redis",
    "rich",
    "sqlalchemy",
    "starlette",
}


def test_importing_the_core_loads_no_driver_and_no_framework() -> None:
    program = "import sys, authx_core; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)  # noqa: S603 - our own program
    loaded = set(done.stdout.split())
    assert "authx_core" in loaded
    assert not loaded & (FOREIGN | {"asyncio", "authx_adapters", "authx_contract"})


def imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names


@pytest.mark.parametrize(
    "path",
    sorted(ROOT.rglob("*.py")),
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_no_module_of_the_core_imports_outwards(path: Path) -> None:
    roots = {name.partition(".")[0] for name in imported(path)}
    libraries = {"attrs", "cattrs", "email_validator", "precis_i18n", "typing_extensions"}
    assert roots <= {*sys.stdlib_module_names, "authx_core", *libraries}
    assert "asyncio" not in roots


@pytest.mark.parametrize(
    ("inner", "outer"),
    [
        ("domain", "ports use_cases repo blocking"),
        ("ports", "use_cases repo blocking"),
        ("use_cases", "repo blocking"),
        ("repo", "blocking"),
    ],
)
def test_dependencies_point_inwards(inner: str, outer: str) -> None:
    for path in (ROOT / inner).rglob("*.py"):
        parts = {name.split(".")[1] for name in imported(path) if name.startswith("authx_core.")}
        assert not parts & set(outer.split()), path


def test_time_comes_only_from_the_clock() -> None:
    for part in ("domain", "use_cases", "repo"):
        for path in (ROOT / part).rglob("*.py"):
            assert "datetime.now" not in path.read_text("utf-8"), path
            assert "time" not in imported(path), path
