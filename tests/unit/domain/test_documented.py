"""Every setting of a policy and every limit has a docstring, with its unit and its source."""

from __future__ import annotations

import ast
import inspect
from itertools import pairwise

import attrs

from authx_core import Policy
from authx_core.domain import limits


def documented(source: str) -> set[str]:
    """Return the annotated names that a docstring follows."""
    bodies = [node.body for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Module | ast.ClassDef)]
    return {
        name.target.id
        for body in bodies
        for name, docstring in pairwise(body)
        if isinstance(name, ast.AnnAssign)
        and isinstance(name.target, ast.Name)
        and isinstance(docstring, ast.Expr)
        and isinstance(docstring.value, ast.Constant)
    }


def test_every_setting_is_documented() -> None:
    assert documented(inspect.getsource(Policy)) == {field.name for field in attrs.fields(Policy)}


def test_every_limit_is_documented() -> None:
    assert documented(inspect.getsource(limits)) == {name for name in vars(limits) if name.startswith("MAX_")}
