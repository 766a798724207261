"""Sequences of calls, made on an adapter and on a reference side by side, and printed as a script to paste."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, cast

import attrs

from authx_contract.basics.violation import Violation
from authx_core.domain import AuthxError, IdentifierTaken, User, UserId

_SOURCES: Final[Mapping[str, Sequence[str]]] = {
    "datetime": ("datetime", "timedelta", "timezone"),
    "authx_core.domain": ("NEXT", "SocialIdentity", "User", "UserQuery"),
}
"""The modules of the names that a script may use."""


@attrs.frozen
class Step:
    """A call of a method of the port, or ``elapse``, which lets time pass."""

    method: str
    given: tuple[object, ...] = ()
    options: Mapping[str, object] = attrs.field(factory=dict[str, object])

    def of(self, port: object) -> Any:
        """Make the call on an adapter or a reference."""
        return getattr(port, self.method)(*self.given, **self.options)

    def line(self, handle: str) -> str:
        """Write it as Python."""
        if self.method == "elapse":
            return f"# let {self.given[0]} pass"
        arguments = [code(each) for each in self.given] + [
            f"{name}={code(each)}" for name, each in self.options.items()
        ]
        return f"await {handle}.{self.method}({', '.join(arguments)})"


class Script:
    """The calls made on both so far, whose answers agreed."""

    def __init__(self, handle: str, adapter: object, reference: object) -> None:
        self._handle, self._adapter, self._reference = handle, adapter, reference
        self._lines = [f"{handle} = ...  # yours, empty"]

    async def look(self, steps: Sequence[Step]) -> None:
        """Make calls that only read; while their answers agree, the script omits them."""
        for step in steps:
            await self.play(step)
            self._lines.pop()

    async def play(self, step: Step) -> object:
        """Make a call on both and return the adapter's answer; raise `Violation` if that of the reference differs."""
        self._lines.append(step.line(self._handle))
        observed = await _observed(step.of(self._adapter))
        if isinstance(observed, User) and step.method == "create":  # the store may assign its own ids
            step = attrs.evolve(step, given=(_with_id(step.given[0], observed.id),))
        expected = _expected(lambda: step.of(self._reference))
        if observed != expected:
            raise Violation(
                "the last call of the script has the wrong answer",
                script=_to_paste(self._lines), expected=expected, observed=observed,
            )  # fmt: skip
        return observed

    async def elapse(self, step: Step, pass_: Callable[[Any], Awaitable[None]]) -> None:
        """Let time pass for both."""
        self._lines.append(step.line(self._handle))
        await pass_(step.given[0])
        step.of(self._reference)


def _to_paste(lines: Sequence[str]) -> str:
    """Add the imports that the lines need."""
    text = "\n".join(lines)
    used = {source: [name for name in names if re.search(rf"\b{name}\b", text)] for source, names in _SOURCES.items()}
    imports = [f"from {source} import {', '.join(names)}" for source, names in used.items() if names]
    return "\n".join(["# in `python -m asyncio`", *imports, text])


def _with_id(user: object, user_id: UserId) -> object:
    return attrs.evolve(user, id=user_id) if isinstance(user, User) else user


def code(value: object) -> str:
    """Return the Python expression of a value."""
    kind = type(value)
    if attrs.has(kind):
        given = {name: getattr(value, name) for name in attrs.fields_dict(kind)}
        arguments = [f"{name}={code(each)}" for name, each in given.items() if _is_not_default(kind, name, each)]
        return f"{kind.__name__}({', '.join(arguments)})"
    match value:
        case tuple():
            items = cast("Sequence[object]", value)
            return f"({''.join(f'{code(each)}, ' for each in items).rstrip()})"
        case dict():
            pairs = cast("Mapping[str, object]", value)
            return f"{{{', '.join(f'{name!r}: {code(each)}' for name, each in pairs.items())}}}"
        case _:
            return repr(value).replace("datetime.", "")


def _is_not_default(kind: type, name: str, value: object) -> bool:
    """Whether a field has another value than its default."""
    default = attrs.fields_dict(kind)[name].default
    return bool(value) if hasattr(default, "takes_self") else bool(value != default)


def _expected(call: Callable[[], object]) -> object:
    try:
        return call()
    except AuthxError as error:
        return _error_name(error)


async def _observed(call: Awaitable[object]) -> object:
    try:
        return await call
    except AuthxError as error:
        return _error_name(error)


def _error_name(error: AuthxError) -> str:
    """Return the name of an error, with the fields of any `IdentifierTaken`: all that the ports prescribe."""
    if isinstance(error, IdentifierTaken):
        return f"IdentifierTaken: {', '.join(sorted(error.fields))}"
    return type(error).__name__
