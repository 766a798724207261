"""Errors without tracebacks."""

from __future__ import annotations

from typing import TypeVar

_E = TypeVar("_E", bound=BaseException)


def bare(error: _E) -> _E:
    """Remove the traceback of a driver's error and of its causes; their messages stay.

    The locals of a driver's frames hold passwords and rows, and tools that report errors show locals.
    """
    left: list[BaseException | None] = [error]
    seen = set[int]()
    while left:
        each = left.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        each.__traceback__ = None
        left += [each.__cause__, each.__context__]
        if isinstance(each, BaseExceptionGroup):
            left += each.exceptions  # pyright: ignore[reportUnknownMemberType] - the errors are of any type
    return error
