"""The core does what the examples in ``docs/identifiers.md`` say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from authx_core import InvalidUser, Policy, email_key, username_key
from authx_core.domain.profile import read_changes

_PAGE: Final = (Path(__file__).parents[2] / "docs" / "identifiers.md").read_text("utf-8").partition("## Examples")[2]
_ROW: Final = re.compile(r"^\| `([^`]*)` \| (refused: )?`([^`]*)` \| (?:`([^`]*)` )?\|$", re.MULTILINE)


def _unescaped(text: str) -> str:
    return re.sub(r"\\u(\w{4})", lambda match: chr(int(match[1], 16)), text)


def _examples() -> Iterator[tuple[str, str | None, str]]:
    for match in _ROW.finditer(_PAGE):
        given, refused, expected, kept = match.groups()
        yield _unescaped(given), refused and expected, "" if refused else f"{expected}\n{_unescaped(kept or given)}"


_EXAMPLES: Final = [*_examples()]


@pytest.mark.parametrize(("given", "code", "stored"), _EXAMPLES, ids=[ascii(given) for given, _, _ in _EXAMPLES])
def test_an_example_of_the_page_is_true(given: str, code: str | None, stored: str) -> None:
    field = "email" if "@" in given else "username"
    if code:
        with pytest.raises(InvalidUser) as caught:
            read_changes({field: given}, Policy())
        assert [(problem.field, problem.code) for problem in caught.value.problems] == [(field, code)]
        assert given not in str(caught.value)
        return
    changes: dict[str, object] = {**read_changes({field: given}, Policy())}
    assert stored == f"{changes[f'{field}_key']}\n{changes[field]}"
    assert changes[f"{field}_key"] == (email_key if field == "email" else username_key)(given)


def test_every_row_of_the_table_is_tested() -> None:
    rows = [line for line in _PAGE.splitlines() if line.startswith("| `")]
    assert len(rows) == len(_EXAMPLES) > 80
