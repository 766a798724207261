"""A marker for one more than the stored number."""

from __future__ import annotations

from enum import Enum
from typing import Final


class Next(Enum):
    """The type of `NEXT`, which is its only value: a copy or a pickle of it is the same object."""

    NEXT = "next"

    def __repr__(self) -> str:
        return self.name

    __str__ = __repr__


NEXT: Final = Next.NEXT
"""The stored epoch + 1, which the store counts in the step that also raises ``version``."""
