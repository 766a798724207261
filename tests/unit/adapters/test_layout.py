"""The layout of the adapters: each engine has a folder, and only that folder imports its driver."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import authx_adapters

ROOT = Path(authx_adapters.__file__).parent
PATHS = sorted(ROOT.rglob("*.py"))
DRIVERS = {"sqlalchemy": "sqlalchemy", "pymongo": "mongodb", "bson": "mongodb", "redis": "redis", "passlib": ""}
"""The folder that may import each optional library; the adapter for passlib is a file, not a folder."""


def imported(path: Path) -> set[str]:
    """Return the packages that a module imports from."""
    found = set[str]()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0])
    return found


@pytest.mark.parametrize("path", PATHS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_driver_is_imported_only_in_the_folder_of_its_engine(path: Path) -> None:
    folder = path.relative_to(ROOT).parts[0] if path.parent != ROOT else ""
    homes = {DRIVERS[package] for package in imported(path) & DRIVERS.keys()}
    assert homes <= {folder}
