"""Every public name is described: what a package of ours exports and the reference does not have is a warning."""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING, Final

from sphinx.util import logging

if TYPE_CHECKING:
    from collections.abc import Container, Iterator
    from types import ModuleType

    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

_PACKAGES: Final = ("authx_core", "authx_core.ports", "authx_adapters", "authx_contract")
_logger = logging.getLogger(__name__)


def packages() -> Iterator[ModuleType]:
    """Import the packages that say what is public: those above, and that of each engine."""
    yield from map(importlib.import_module, _PACKAGES)
    adapters = importlib.import_module("authx_adapters")
    for each in pkgutil.iter_modules(adapters.__path__, "authx_adapters."):
        if each.ispkg:
            yield importlib.import_module(each.name)


def missing(known: Container[str]) -> Iterator[str]:
    """Name what is exported and is described neither by that name nor by the one where it is defined."""
    for package in packages():
        for name in getattr(package, "__all__", ()):
            value = getattr(package, name)
            home = f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', '')}"
            if f"{package.__name__}.{name}" not in known and home not in known:
                yield f"{package.__name__}.{name}"


def check(_: Sphinx, env: BuildEnvironment) -> None:
    """Warn of each."""
    for name in missing(env.domains.python_domain.objects):
        _logger.warning("%s is public, and no page of the reference describes it", name, type="completeness")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("env-check-consistency", check)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
