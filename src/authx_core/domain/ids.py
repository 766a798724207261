"""Identifiers that sort by creation without a central counter."""

from __future__ import annotations

import secrets
import uuid
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from authx_core.domain.user import UserId


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)


def uuid7_text(now: datetime) -> UserId:
    """Make a UUIDv7 (RFC 9562, 5.7) of this instant, its sub-millisecond part in ``rand_a`` (6.2, method 3)."""
    milliseconds, microseconds = divmod((now - _EPOCH) // timedelta(microseconds=1), 1_000)
    value = (milliseconds & (1 << 48) - 1) << 80
    value |= 0x7 << 76 | (microseconds * 4096 // 1000) << 64
    value |= 0b10 << 62 | secrets.randbits(62)
    return str(uuid.UUID(int=value))
