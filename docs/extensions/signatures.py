"""Signatures as an author would write them, and the default of each field of a value beside its docstring."""

from __future__ import annotations

import importlib
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import attrs

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_UNTOLD: Final = re.compile(r" = (attr_dict\['\w+'\]\.default|NOTHING|_[A-Z_]+)")
"""Defaults as attrs' generated code has them, and private constants."""
_LONGEST: Final = 60


def shorten(
    _app: Sphinx, what: str, name: str, _obj: object, _options: object, signature: str | None, returned: str | None
) -> tuple[str | None, str | None] | None:
    """Write ``= ...`` for a default that has no name of its own, and nothing for a class that nobody makes."""
    if what == "class" and (name.endswith("Mixin") or signature == "(*args, **kwargs)"):
        return "", None
    return (_UNTOLD.sub(" = ...", signature), returned) if signature else None


def default_of(name: str) -> str | None:
    """Tell the default of ``module.Class.field``, unless it is nothing, made by a function or long."""
    path, _, field = name.rpartition(".")
    module, _, kind = path.rpartition(".")
    owner: Any = getattr(importlib.import_module(module), kind, None) if module else None
    if not (isinstance(owner, type) and attrs.has(owner)) or field not in attrs.fields_dict(owner):
        return None
    value = attrs.fields_dict(owner)[field].default
    if isinstance(value, timedelta):
        return str(value)
    if value in (None, attrs.NOTHING, (), frozenset()):
        return None
    told = f"{{{str(sorted(value))[1:-1]}}}" if isinstance(value, frozenset) else repr(value)
    return None if "Factory" in told or len(told) > _LONGEST else told


def describe(_app: Sphinx, what: str, name: str, obj: object, _options: object, lines: list[str]) -> None:
    """Add the default of a field; drop the docstring that a constant has from its type."""
    if what == "data" and lines and lines[0] and lines[0] in (type(obj).__doc__ or ""):
        lines.clear()
    if what == "attribute" and (told := default_of(name)):
        lines[:] = [*lines, *([""] if lines and lines[-1] else []), f"Default: ``{told}``", ""]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("autodoc-process-signature", shorten)
    app.connect("autodoc-process-docstring", describe)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
