"""Links from names to the reference.

A docstring says `User`, and a page says ``User``: both lead to where the reference describes it. A name in a docstring
that leads nowhere is a warning, unless it belongs to another project or is a module. A signature may name internals.
"""

from __future__ import annotations

import builtins
import re
import sys
from typing import TYPE_CHECKING, Final

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.transforms import SphinxTransform
from sphinx.util.nodes import make_refnode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

_FACADE: Final = "authx_core.Users"
"""How the names of the parts of the facade begin."""
_NAME: Final = re.compile(r"^([A-Z]\w+)(\(.*\))?$|^(connect|connect_blocking|open_users|open_users_blocking)(\(.*\))?$")
"""What a page may call by its name: classes and errors, and the four functions that open a facade."""

_ELSEWHERE: Final = re.compile(
    r"(Async)?(ClientSession|Connection|Database|Engine|Session)|Column|CryptContext|Executor|MetaData|Redis(Cluster)?"
)
"""Names of other projects that docstrings mention without their package."""
_PROJECTS: Final = sys.stdlib_module_names | {"passlib", "pymongo", "redis", "sqlalchemy", "typing_extensions"}


def candidates(name: str, known: dict[str, object]) -> list[str]:
    """Find every documented object that has this name, the whole or its end."""
    return [name] if name in known else [each for each in known if each.endswith(f".{name}")]


def best(found: list[str], of_module: str, of_class: str) -> str | None:
    """Choose what the author meant: a member of the same class, then one of the facade, then the shortest."""
    if not found:
        return None
    own = f"{of_module}.{of_class}."
    return min(found, key=lambda each: (not each.startswith(own), not each.startswith(_FACADE), len(each), each))


def resolve(app: Sphinx, env: BuildEnvironment, node: pending_xref, content: nodes.Element) -> nodes.Element | None:
    """Link a name that stands without its module; leave one of another project as text."""
    if node.get("refdomain") != "py":
        return None
    python = env.domains.python_domain
    target = node["reftarget"].removeprefix("~").removesuffix("()")
    name = best(candidates(target, python.objects), node.get("py:module") or "", node.get("py:class") or "")
    if name is not None:
        entry = python.objects[name]
        return make_refnode(app.builder, node["refdoc"], entry.docname, entry.node_id, [content])
    if "in_page" in node:
        return content
    internal = node["reftype"] == "class" or _is_module(target)  # in a signature; a module of ours
    return content if internal or _has_no_page(target) else None


def _is_module(target: str) -> bool:
    """Tell whether a module of ours has this name, the whole or its end."""
    return any(f".{each}".endswith(f".{target}") for each in sys.modules if each.startswith("authx_"))


def _has_no_page(target: str) -> bool:
    """Tell whether a name belongs to another project, is a type variable or private, or is no name at all."""
    first, *_, last = target.split(".") * 2
    return (
        first in _PROJECTS
        or hasattr(builtins, first)
        or bool(_ELSEWHERE.fullmatch(target))
        or bool(re.fullmatch(r"[A-Z]|_\w+", last))
        or not target.replace(".", "").isidentifier()
    )


class NamesInPages(SphinxTransform):
    """Make a link of each ``Name`` in a page that the reference describes."""

    default_priority = 200

    def apply(self, **_: object) -> None:
        """Wrap code that is a name; headings and links stay as they are."""
        for literal in [*self._names()]:
            name = literal.astext().split("(")[0]
            link = pending_xref(
                "", refdomain="py", reftype="obj", reftarget=name, in_page=True, refdoc=self.env.docname
            )
            literal.replace_self(link)
            link += literal

    def _names(self) -> Iterator[nodes.literal]:
        if self.env.docname.startswith("reference/"):
            return
        for literal in self.document.findall(nodes.literal):
            if _NAME.match(literal.astext()) and isinstance(literal.parent, nodes.paragraph | nodes.entry):
                yield literal


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("missing-reference", resolve)
    app.add_transform(NamesInPages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
