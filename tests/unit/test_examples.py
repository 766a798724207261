"""Every fence marked ``python`` in the README and the documentation runs; ``py`` and other fences do not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

_ROOT: Final = Path(__file__).parents[2]
_FENCE: Final = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def _examples(page: Path) -> Iterator[tuple[int, str]]:
    """Yield the line before each example of a page, and its code."""
    text = page.read_text(encoding="utf-8")
    for match in _FENCE.finditer(text):
        yield text.count("\n", 0, match.start(1)), match[1]


_PAGES: Final = (_ROOT / "README.md", *sorted((_ROOT / "docs").rglob("*.md")))
_EXAMPLES: Final = [
    pytest.param(page, line, code, id=f"{page.name}:{line + 1}") for page in _PAGES for line, code in _examples(page)
]


@pytest.mark.parametrize(("page", "line", "code"), _EXAMPLES)
def test_an_example_runs(page: Path, line: int, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each example runs in an empty folder and a new namespace; a traceback shows the line of the page."""
    monkeypatch.chdir(tmp_path)
    program = compile("\n" * line + code, page, "exec")
    exec(program, {"__name__": "example"})  # noqa: S102 - running the pages' own code is the point


def test_the_readme_has_an_example_that_runs() -> None:
    assert list(_examples(_ROOT / "README.md"))
