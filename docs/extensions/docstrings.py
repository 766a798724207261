"""Indented text in a docstring is code, as everybody reads it; reStructuredText would make a quotation of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def with_code(lines: list[str]) -> list[str]:
    """Mark each indented block that follows an empty line as code, unless it continues a list."""
    marked: list[str] = []
    outside = True
    for number, line in enumerate(lines):
        if not line.strip():
            marked.append(line)
            continue
        indented = line.startswith("    ")
        if indented and outside and number and not lines[number - 1].strip():
            marked += ["::", ""]
        outside = not indented
        marked.append(line)
    return marked


def convert(_app: Sphinx, _what: str, _name: str, _obj: object, _options: object, lines: list[str]) -> None:
    """Rewrite a docstring in place, as autodoc wants it."""
    lines[:] = with_code(lines)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("autodoc-process-docstring", convert)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
