"""Values in a form that every engine returns unchanged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Final

from authx_core.domain import JSON
from authx_core.domain.secret import MASK, Secret

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECOND: Final = timedelta(microseconds=1)


class Masked(str):
    """Text for a driver, with a repr that hides it: drivers log their parameters, and tracebacks show locals."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"'{MASK}'"


def masked(secret: Secret | None) -> Masked | None:
    """Reveal a secret to a driver, which stores the text itself."""
    return None if secret is None else Masked(secret.reveal())


def microseconds(instant: datetime) -> int:
    """Turn an aware datetime into whole microseconds since 1970."""
    return (instant - _EPOCH) // _MICROSECOND


def instant(microseconds: int) -> datetime:
    """Turn whole microseconds since 1970 into an aware UTC datetime."""
    return _EPOCH + microseconds * _MICROSECOND


def plain(value: JSON) -> JSON:
    """Turn every mapping, sequence and whole number, also of a driver's own types, into a dict, list or int."""
    if isinstance(value, Mapping):
        return {key: plain(member) for key, member in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(member) for member in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    return value
