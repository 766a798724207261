"""The guides to writing an adapter work when a reader follows them in an empty folder.

A ``sh`` fence is run. A ``py`` fence is merged into the file that its first line names. The lines of a ``text`` fence
must be in the last output. The clauses of a line ``Turns green: …`` must turn green at that step.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import attrs
import pytest

import servers
from authx_contract.verdict.verify import verify

ROOT: Final = Path(__file__).parents[3]
PAGES: Final = ("writing-an-adapter.md", "writing-a-cache.md")
PART: Final = re.compile(r"^```(sh|py|text)\n(.*?)^```$|^(Turns green): ([^.]*)\.", re.DOTALL | re.MULTILINE)


def parts(text: str) -> Iterator[tuple[str, str, int]]:
    for match in PART.finditer(text):
        yield match[1] or match[3], match[2] or match[4], text.count("\n", 0, match.start()) + 1


@attrs.define
class Reader:
    """A reader who follows a page step by step."""

    folder: Path
    environment: Mapping[str, str]
    printed: str = ""
    before: frozenset[str] = frozenset()
    green: frozenset[str] = frozenset()

    def follow(self, kind: str, text: str) -> None:
        match kind:
            case "sh":
                for command in text.splitlines():
                    self.run(shlex.split(command))
            case "py":
                name, _, step = text.removeprefix("# ").partition("\n")
                file = self.folder / name
                file.write_text(merged(file.read_text() if file.exists() else "", step))
            case "text":
                lines = (line.rstrip() for line in self.printed.splitlines())
                for shown in text.splitlines():  # in this order; `…` stands for the rest of a line
                    begun = shown.removesuffix(" …")
                    assert any(line == shown or (begun != shown and line.startswith(begun)) for line in lines), (
                        f"not printed: {shown}\n{self.printed}"
                    )
            case _:
                named = frozenset(re.findall(r"[UC]-\d+", text))
                assert not named & self.before, f"green already: {sorted(named & self.before)}"
                assert named <= self.green, f"still red: {sorted(named - self.green)}\n{self.printed}"

    def run(self, command: list[str]) -> None:
        if command[0] == "pip":
            return
        verifies = "verify" in command
        command = [sys.executable, *command[1:], *(["--json", "report.json"] if verifies else [])]
        environment = {**os.environ, "PYTEST_ADDOPTS": "-p no:asyncio -p no:cacheprovider", **self.environment}
        done = subprocess.run(  # noqa: S603 - the page's own commands
            command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False, timeout=120
        )
        assert not done.stderr, done.stderr
        self.printed = done.stdout
        if verifies:
            clauses = json.loads((self.folder / "report.json").read_text())["clauses"]
            self.before |= self.green
            self.green = frozenset(each["id"] for each in clauses if each["status"] == "passed")
        else:
            assert done.returncode == 0, done.stdout


def merged(file: str, step: str) -> str:
    """Merge the definitions of a step into a file: replace those of the same name, and add the others."""
    module, new = ast.parse(file), ast.parse(step)
    kept = {name(each): each for each in module.body}
    for each in new.body:
        old = kept.get(name(each))
        if isinstance(each, ast.ClassDef) and isinstance(old, ast.ClassDef):
            members = {name(member): member for member in old.body} | {name(member): member for member in each.body}
            old.body = sorted(members.values(), key=lambda member: not is_docstring(member))
        else:
            kept[name(each)] = each
    order = (is_docstring, is_future, is_import, lambda each: not isinstance(each, ast.ClassDef), lambda _: True)
    module.body = sorted(kept.values(), key=lambda each: [test(each) for test in order].index(True))
    return ast.unparse(module)


def name(node: ast.stmt) -> str:
    match node:
        case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
            return node.name
        case ast.Assign(targets=[ast.Name(id=target)]):
            return target
        case _:
            return "docstring" if is_docstring(node) else ast.unparse(node)


def is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def is_future(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module == "__future__"


def is_import(node: ast.stmt) -> bool:
    return isinstance(node, ast.Import | ast.ImportFrom)


@pytest.mark.parametrize("page", PAGES)
def test_following_a_page_leads_to_a_conforming_adapter(page: str, tmp_path: Path) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    reader = Reader(tmp_path, {"REDIS_URL": servers.url("redis")} if "REDIS_URL" in text else {})
    for kind, part, line in parts(text):
        try:
            reader.follow(kind, part)
        except AssertionError as error:
            error.add_note(f"{page}:{line}")
            raise
    assert "\nCONFORMS (level 2)\n" in text


def test_the_harness_on_the_page_of_the_contract_conforms() -> None:
    fence = re.search(r"^```python\n(.*?)^```$", (ROOT / "docs" / "contract.md").read_text(), re.DOTALL | re.MULTILINE)
    assert fence
    page: dict[str, Any] = {"__name__": "harness"}
    exec(fence[1], page)  # noqa: S102 - our own page
    assert verify(page["MyStore"], level=2).headline == "CONFORMS (level 2)"
