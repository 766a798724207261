"""How the adapters are laid out: a folder for each engine, and names that say who may use them."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import authx_adapters

ROOT = Path(authx_adapters.__file__).parent
PATHS = sorted(ROOT.rglob("*.py"))
DRIVERS = {"sqlalchemy": "sqlalchemy", "pymongo": "mongodb", "bson": "mongodb", "redis": "redis", "passlib": ""}
"""Each library that an extra installs, and the folder that imports it; passlib's adapters are files."""


def imported(path: Path) -> list[tuple[str, str]]:
    """Return the modules that a module imports, with each name that it takes from them."""
    found = list[tuple[str, str]]()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found += [(alias.name, "") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found += [(node.module or "", alias.name) for alias in node.names]
    return found


@pytest.mark.parametrize("path", PATHS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_name_with_a_leading_underscore_stays_in_its_module(path: Path) -> None:
    assert path.stem.startswith("__") or not path.stem.startswith("_")
    private = [
        (module, name)
        for module, name in imported(path)
        if module.startswith("authx_") and any(part.startswith("_") for part in (*module.split("."), name))
    ]
    assert private == []


@pytest.mark.parametrize("path", PATHS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_driver_is_imported_in_the_folder_of_its_engine_alone(path: Path) -> None:
    folder = path.relative_to(ROOT).parts[0] if path.parent != ROOT else ""
    homes = {DRIVERS[root] for module, _ in imported(path) if (root := module.partition(".")[0]) in DRIVERS}
    assert homes <= {folder}
