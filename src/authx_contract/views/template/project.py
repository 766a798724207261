"""The files of a new project; their texts are in ``files``."""

from __future__ import annotations

import ast
import inspect
import keyword
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from string import Template
from typing import Final

import attrs

from authx_contract.views.template.order import ORDER, Kind
from authx_core.domain import InvalidValue, Problem
from authx_core.ports import Cache, UserStore

_PORTS: Final[Mapping[str, type]] = {"users": UserStore, "cache": Cache}
"""The ports with a template, by the name of the file."""


@attrs.frozen(kw_only=True)
class Project:
    """A new project: its package, its ports and the kind of its client."""

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
            "test_contract.py": _filled("test_contract", module=self.module, title=self.title),
            "README.md": _filled("README", module=self.module, title=self.title, steps=self.steps()),
        }

    def steps(self) -> str:
        """Return the next steps: the methods in order, the clauses that they turn green, and the commands."""
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
        """Write the project's folder and return it. Raises `InvalidValue` before anything is written."""
        folder = into / self.module
        if not into.is_dir():
            raise InvalidValue(Problem("into", "invalid", f"{into} is not a folder"))
        if self.module and folder.exists():
            raise InvalidValue(Problem("name", "taken", f"{folder} exists, and is not overwritten"))
        if reason := impossible(self.module):
            raise InvalidValue(Problem("name", "invalid", reason))
        folder.mkdir()
        for name, text in self.files.items():
            (folder / name).write_text(text, encoding="utf-8")
        return folder

    def _adapter(self, kind: Kind) -> str:
        timed = kind == "cache"
        return _filled(
            "adapter", kind=kind, title=self.title, imports=_filled(f"imports_{kind}"),
            adapter=f"{self.title}{kind.title()}",
            port=_PORTS[kind].__name__,
            parameters="self, client: object, clock: Clock" if timed else "self, client: object",
            keeps="        self._client = client\n" + ("        self._clock = clock\n" if timed else ""),
            methods="\n".join(_methods(_PORTS[kind])).rstrip(),
        )  # fmt: skip

    def _harness(self) -> str:
        names = ["Capabilities", "Harness", "SteppedClock", *([] if self.asynchronous else ["never_suspends"])]
        return _filled(
            "harness", title=self.title, name=self.module.replace("_", "-"), names=", ".join(names),
            ports=", ".join(sorted(_PORTS[kind].__name__ for kind in self.kinds)),
            adapters="".join(f"from .{kind} import {self.title}{kind.title()}\n" for kind in sorted(self.kinds)),
            openings="".join(map(self._opening, self.kinds)), clock=_filled("clock") if "cache" in self.kinds else "",
        )  # fmt: skip

    def _opening(self, kind: Kind) -> str:
        timed = kind == "cache"
        handle = f"{self.title}{kind.title()}({'client=None, clock=clock' if timed else 'client=None'})"
        return _filled(
            "opening",
            kind=kind,
            clock="clock" if timed else "_",
            port=_PORTS[kind].__name__,
            handle=handle if self.asynchronous else f"never_suspends({handle})",
        )


def _filled(file: str, /, **values: str) -> str:
    """Return the text of a template with its placeholders filled."""
    text = resources.files("authx_contract.views.template").joinpath("files", f"{file}.txt").read_text("utf-8")
    return Template(text).substitute(values)


def impossible(name: str) -> str:
    """Return the reason why a package cannot have this name, or empty text."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        return (
            f"{name!r} is not a name for a package: use lower-case letters, digits and underscores, such as my_adapter"
        )
    if name in sys.stdlib_module_names or find_spec(name):
        return f"{name!r} would hide the installed package of that name: choose another name"
    return ""


def _methods(port: type) -> Iterator[str]:
    """Yield each abstract method of a port: its signature and the first line of its docstring."""
    lines = inspect.getsource(port).splitlines()
    (found,) = ast.parse("\n".join(lines)).body
    for each in ast.walk(found):
        if isinstance(each, ast.AsyncFunctionDef) and each.decorator_list:
            signature = lines[each.lineno - 1 : each.body[0].lineno - 1]
            promise = (ast.get_docstring(each) or "").partition("\n")[0]
            yield "\n".join([*signature, f'        """{promise}"""', "        raise NotImplementedError", ""])
