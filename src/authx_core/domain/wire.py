"""Plain data to domain values and back: the one place that knows cattrs."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from cattrs import BaseValidationError, Converter
from cattrs.cols import is_frozenset
from cattrs.gen import make_dict_unstructure_fn, override

from authx_core.domain.checks import MAX_IDENTITIES, is_sequence
from authx_core.domain.errors import InvalidValue, Problem
from authx_core.domain.events import Event
from authx_core.domain.secret import Secret
from authx_core.domain.user import JSON, SocialIdentity, User


def _strict_text(value: object, _: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


_reader: Final = Converter(forbid_extra_keys=True)
_reader.register_structure_hook(str, _strict_text)
_writer: Final = Converter()
_writer.register_unstructure_hook(datetime, datetime.isoformat)
_writer.register_unstructure_hook_func(is_frozenset, sorted)
_writer.register_unstructure_hook(User, make_dict_unstructure_fn(User, _writer, password_hash=override(omit=True)))


def read_identities(value: object) -> tuple[SocialIdentity, ...]:
    """Turn social identities, or mappings with ``provider`` and ``subject``, into a tuple. Raises `InvalidValue`."""
    wrong = InvalidValue(Problem("identities", "invalid", "must be a list of {provider, subject}"))
    if not is_sequence(value):
        raise wrong
    try:
        return tuple(
            each if isinstance(each, SocialIdentity) else _reader.structure(each, SocialIdentity)
            for each in value[: MAX_IDENTITIES + 1]  # one too many is refused by its check
        )
    except (BaseValidationError, AttributeError, TypeError, ValueError):
        raise wrong from None


def event_to_data(event: Event) -> dict[str, JSON]:
    """Turn an event into JSON data: its name and its fields, without secrets, hashes and tokens."""
    fields = {name: value for name, value in _fields(event).items() if not isinstance(value, Secret)}
    return {"event": event.name, **fields}


def _fields(event: Event) -> dict[str, JSON]:
    data: dict[str, JSON] = _writer.unstructure(event)
    return data
