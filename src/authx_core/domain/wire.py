"""Events as plain data: the one place that knows cattrs."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from cattrs import Converter
from cattrs.cols import is_frozenset

from authx_core.domain.events import Event
from authx_core.domain.frozen import JSON
from authx_core.domain.secret import Secret
from authx_core.domain.user import UserView

_writer: Final = Converter()
_writer.register_unstructure_hook(datetime, datetime.isoformat)
_writer.register_unstructure_hook(UserView, UserView.public)
_writer.register_unstructure_hook_func(is_frozenset, sorted)


def event_to_data(event: Event) -> dict[str, JSON]:
    """Turn an event into JSON data: its name and its fields, users in their public form, without secrets."""
    fields = {name: value for name, value in _fields(event).items() if not isinstance(value, Secret)}
    return {"event": event.name, **fields}


def _fields(event: Event) -> dict[str, JSON]:
    data: dict[str, JSON] = _writer.unstructure(event)
    return data
