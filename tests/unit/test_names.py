"""A name with a leading underscore is used only in its own module, in all packages."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import authx_core

SOURCE = Path(authx_core.__file__).parent.parent
PATHS = sorted(path for package in SOURCE.glob("authx_*") for path in package.rglob("*.py"))


def imported(path: Path) -> list[str]:
    """Return the full names that a module imports from our packages."""
    found = list[str]()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return [name for name in found if name.startswith("authx_")]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: str(path.relative_to(SOURCE)))
def test_no_module_and_no_import_has_a_leading_underscore(path: Path) -> None:
    assert not path.stem.startswith("_") or path.stem in {"__init__", "__main__"}
    assert [name for name in imported(path) if "._" in name] == []
