"""The files that ``new`` writes: an adapter whose every method is still to be written, and what verifies it."""

from __future__ import annotations

import ast
import inspect
import keyword
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from string import Template
from typing import Final, Literal

import attrs

from authx_core.domain import InvalidValue, Problem
from authx_core.ports import Cache, UserStore

Made: Final[Mapping[str, type]] = {"users": UserStore, "cache": Cache}
"""The ports there is a template for, by the name of the file."""
Kind = Literal["users", "cache"]

ORDER: Final[Mapping[Kind, Sequence[tuple[str, str]]]] = {
    "users": (
        ("create, get", "U-001"),
        ("get_by_email, get_by_username, get_by_social", "U-010 U-011 U-012 U-013"),
        ("count", "U-002 U-020"),
        ("update", "U-006 U-030 U-031 U-033 U-037 U-038 U-071"),
        ("delete", "U-003 U-032"),
        ("search", "U-005 U-040 U-050 U-051 U-052 U-053 U-054 U-056 U-057 U-070"),
        ("get_blackout, set_blackout", "U-004 U-060 U-063"),
    ),
    "cache": (
        ("get_many, pop", "C-001"),
        ("set", "C-005 C-034"),
        ("add", "C-002 C-004 C-011"),
        ("increment_many", "C-003 C-012 C-013 C-015 C-016 C-017 C-019 C-031 C-032"),
        ("delete", "C-010 C-014 C-020 C-030 C-033 C-036"),
    ),
}
"""In which order to write the methods, and clauses of level 1 that hold when one has come so far."""

_IMPORTS: Final[Mapping[Kind, str]] = {
    "users": """\
from datetime import datetime

from authx_core.domain import User, UserChanges, UserFields, UserId, UserQuery
from authx_core.ports import UserStore
""",
    "cache": """\
from collections.abc import Sequence
from datetime import timedelta

from authx_core.ports import Cache, Clock
""",
}
_ADAPTER: Final = Template('''\
"""The $kind of $title: say where that is kept, and what it needs."""

from __future__ import annotations

$imports

class $adapter($port):
    """Check what comes in, let the backend settle races, and let no error of its driver out."""

    def __init__($parameters) -> None:
$keeps
$methods''')
_HARNESS: Final = Template('''\
"""How the contract gets at $title."""

from __future__ import annotations

from authx_contract import $names
from authx_core.ports import $ports

$adapters

class $title(Harness):
    """Opens handles, each with a client of its own; all of them reach the same data."""

    name = "$name"
    capabilities = Capabilities(
        backend="server",  # or "embedded", or "memory"
$clock    )
$openings
    async def reset(self) -> None:
        """Remove what the suite has stored, and nothing else."""

    async def close(self) -> None:
        """Close the clients that were opened."""
''')
_CLOCK: Final = """\
        clock="injected",  # or "server": lifetimes follow its clock, and `rewind` moves deadlines
"""
_OPENING: Final = Template('''
    async def open_$kind(self, $clock: SteppedClock, /) -> $port:
        """Return a handle of the $kind."""
        return $handle
''')
_TESTS: Final = Template('''\
"""A test for each clause of the contract: ``python -m pytest $module``."""

from authx_contract import contract_tests

from .harness import $title

Test$title = contract_tests($title)
''')
_README: Final = Template("""\
# $module

An adapter for authx-users, verified by `python -m authx_contract verify $module.harness:$title`.

## What to do next

$steps
""")


@attrs.frozen(kw_only=True)
class Project:
    """What is to be written, and where."""

    module: str
    kinds: Sequence[Kind] = ("users",)
    asynchronous: bool = False

    @property
    def title(self) -> str:
        """The harness's class."""
        return "".join(word.capitalize() for word in self.module.split("_"))

    @property
    def files(self) -> dict[str, str]:
        """Every file's text by its name."""
        return {
            "__init__.py": '"""An adapter for authx-users."""\n',
            **{f"{kind}.py": self._adapter(kind) for kind in self.kinds},
            "harness.py": self._harness(),
            "test_contract.py": _TESTS.substitute(module=self.module, title=self.title),
            "README.md": _README.substitute(module=self.module, title=self.title, steps=self.steps()),
        }

    def steps(self) -> str:
        """Say which methods to write in which order, which clauses they turn green, and what to run."""
        verify = f"python -m authx_contract verify {self.module}.harness:{self.title}"
        lines = [f"1. {self.module}/harness.py: declare the backend, open and close its clients, empty it in `reset`."]
        for number, kind in enumerate(self.kinds, 2):
            lines += [f"{number}. {self.module}/{kind}.py, in this order:", ""]
            lines += [f"        {methods}\n            turns green: {clauses}" for methods, clauses in ORDER[kind]]
            lines += [""]
        first = ORDER[self.kinds[0]][0][1]
        lines += [
            f"{len(self.kinds) + 2}. After each:",
            "",
            f"        {verify} --level 1 --only {first}",
            f"        {verify} --level 1",
            "",
            f"{len(self.kinds) + 3}. Then races, cancellation and reopening, by either view:",
            "",
            f"        {verify}",
            f"        python -m pytest {self.module}",
        ]
        return "\n".join(lines)

    def write(self, into: Path) -> Path:
        """Write the project's folder and return it. Raises `InvalidValue`, and then has written nothing."""
        folder = into / self.module
        if not into.is_dir():
            raise InvalidValue(Problem("into", "invalid", f"{into} is no folder"))
        if self.module and folder.exists():
            raise InvalidValue(Problem("name", "taken", f"{folder} is there already, and is not overwritten"))
        if reason := impossible(self.module):
            raise InvalidValue(Problem("name", "invalid", reason))
        folder.mkdir()
        for name, text in self.files.items():
            (folder / name).write_text(text, encoding="utf-8")
        return folder

    def _adapter(self, kind: Kind) -> str:
        timed = kind == "cache"
        return _ADAPTER.substitute(
            kind=kind, title=self.title, imports=_IMPORTS[kind], adapter=f"{self.title}{kind.title()}",
            port=Made[kind].__name__,
            parameters="self, client: object, clock: Clock" if timed else "self, client: object",
            keeps="        self._client = client\n" + ("        self._clock = clock\n" if timed else ""),
            methods="\n".join(_methods(Made[kind])),
        )  # fmt: skip

    def _harness(self) -> str:
        names = ["Capabilities", "Harness", "SteppedClock", *([] if self.asynchronous else ["never_suspends"])]
        return _HARNESS.substitute(
            title=self.title, name=self.module.replace("_", "-"), names=", ".join(names),
            ports=", ".join(sorted(Made[kind].__name__ for kind in self.kinds)),
            adapters="".join(f"from .{kind} import {self.title}{kind.title()}\n" for kind in sorted(self.kinds)),
            openings="".join(map(self._opening, self.kinds)), clock=_CLOCK if "cache" in self.kinds else "",
        )  # fmt: skip

    def _opening(self, kind: Kind) -> str:
        timed = kind == "cache"
        handle = f"{self.title}{kind.title()}({'client=None, clock=clock' if timed else 'client=None'})"
        return _OPENING.substitute(
            kind=kind,
            clock="clock" if timed else "_",
            port=Made[kind].__name__,
            handle=handle if self.asynchronous else f"never_suspends({handle})",
        )


def impossible(name: str) -> str:
    """Say why a package cannot have this name; nothing if it can."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        return f"{name!r} is no name for a package: lower-case letters, digits and underscores, such as my_adapter"
    if name in sys.stdlib_module_names or find_spec(name):
        return f"{name!r} would hide the package of that name, which is installed"
    return ""


def _methods(port: type) -> Iterator[str]:
    """Give each abstract method of a port as it is written there, with the first sentence of its promise."""
    lines = inspect.getsource(port).splitlines()
    (found,) = ast.parse("\n".join(lines)).body
    for each in ast.walk(found):
        if isinstance(each, ast.AsyncFunctionDef) and each.decorator_list:
            signature = lines[each.lineno - 1 : each.body[0].lineno - 1]
            promise = (ast.get_docstring(each) or "").partition("\n")[0]
            yield "\n".join([*signature, f'        """{promise}"""', "        raise NotImplementedError", ""])
