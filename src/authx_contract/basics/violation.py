"""What a clause raises: a broken promise, or the reason why the clause cannot run."""

from __future__ import annotations

from collections.abc import Mapping

_SHOWN = 500
_WHOLE = 10_000
"""Characters of a text of several lines, such as a script, whose last lines matter most."""


class Violation(Exception):
    """A promise did not hold. ``observed`` is a sentence; the named facts are the evidence."""

    def __init__(self, observed: str, /, **facts: object) -> None:
        super().__init__(observed, facts)

    @property
    def observed(self) -> str:
        """The observation."""
        return str(self.args[0])

    @property
    def facts(self) -> Mapping[str, object]:
        """The evidence, by name."""
        facts: Mapping[str, object] = self.args[1]
        return facts

    def __str__(self) -> str:
        return "\n".join([self.observed, *(f"{name}: {shown(fact)}" for name, fact in self.facts.items())])


class CannotRun(Exception):
    """The reason why a clause cannot run here. The verdict is then `INCOMPLETE` at best."""


def shown(fact: object) -> str:
    """Show a fact: text of several lines as it is, anything else as its repr; both are cut at a limit."""
    lines = isinstance(fact, str) and "\n" in fact
    text = (str(fact) if lines else repr(fact)).encode("utf-8", "backslashreplace").decode()
    most = _WHOLE if lines else _SHOWN
    return text if len(text) <= most else f"{text[:most]}… ({len(text)} characters)"
