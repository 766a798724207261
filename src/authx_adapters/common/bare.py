"""Errors without the frames that they passed."""

from __future__ import annotations

from typing import TypeVar

_E = TypeVar("_E", bound=BaseException)


def bare(error: _E) -> _E:
    """Return a driver's error without its traceback, and so its causes: all that they say is left.

    Their frames are the driver's, whose locals have passwords and rows, and tools that report errors show locals.
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
            left += each.exceptions  # pyright: ignore[reportUnknownMemberType] - of whichever errors
    return error
