"""What a clause raises: a promise that did not hold, or a reason why it cannot be looked at."""

from __future__ import annotations

from collections.abc import Mapping

_SHOWN = 500
_WHOLE = 10_000
"""Characters of what has lines of its own, such as a script, of which the end tells most."""


class Violation(Exception):
    """A promise did not hold. ``observed`` is a sentence; the named facts are what it rests on."""

    def __init__(self, observed: str, /, **facts: object) -> None:
        super().__init__(observed, facts)

    @property
    def observed(self) -> str:
        """What was seen."""
        return str(self.args[0])

    @property
    def facts(self) -> Mapping[str, object]:
        """What it rests on, by name."""
        facts: Mapping[str, object] = self.args[1]
        return facts

    def __str__(self) -> str:
        return "\n".join([self.observed, *(f"{name}: {shown(fact)}" for name, fact in self.facts.items())])


class CannotRun(Exception):
    """A clause cannot be run here, and why. The verdict is then `INCOMPLETE` at best."""


def shown(fact: object) -> str:
    """Show a fact: text as it is, anything else as its repr, neither without end."""
    lines = isinstance(fact, str) and "\n" in fact
    text = (str(fact) if lines else repr(fact)).encode("utf-8", "backslashreplace").decode()
    most = _WHOLE if lines else _SHOWN
    return text if len(text) <= most else f"{text[:most]}… ({len(text)} characters)"
