"""``docs/errors.md`` lists every error class, its code and its HTTP status."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import authx_core
from authx_core.domain.errors import AuthxError, InvalidInput, PortUnavailable

_TOOL: Final = Path(__file__).parents[2] / "tools" / "error_catalogue.py"


def _catalogue() -> Any:
    spec = importlib.util.spec_from_file_location("error_catalogue", _TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


catalogue: Final = _catalogue()


def _below(kind: type[AuthxError]) -> Iterator[type[AuthxError]]:
    for child in kind.__subclasses__():
        yield child
        yield from _below(child)


def _codes() -> Iterator[str]:
    """Yield the second argument of each ``Problem("…", "code", "…")`` in the core."""
    for file in Path(authx_core.__file__).parent.rglob("*.py"):
        if "contract" in file.parts:
            continue
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id="Problem"), args=[_, ast.Constant(value=str(code)), *_]):
                    yield code


def test_the_page_is_up_to_date() -> None:
    assert catalogue.PAGE.read_text("utf-8") == catalogue.page(), "run `python tools/error_catalogue.py`"


def test_every_error_that_is_raised_has_an_answer_and_an_example() -> None:
    raised = {each for each in _below(AuthxError) if each.__module__ == AuthxError.__module__}
    raised -= {InvalidInput, PortUnavailable}  # their children are raised
    assert set(catalogue.STATUS) == raised
    assert {type(each) for each in catalogue._EXAMPLES} == raised


def test_every_code_of_a_problem_has_a_meaning() -> None:
    assert set(_codes()) == set(catalogue.PROBLEMS)
