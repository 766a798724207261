"""A user as a document, and back.

Each field is stored under its own name, the id as ``_id``, and None as null, so that every document has them all.
Permissions are a sorted array: equal sets are equal arrays, so a compare-and-set can go by them. Instants are whole
microseconds since 1970, because BSON dates keep milliseconds only. ``extra`` is stored natively, for an application to
query and index: MongoDB takes any key inside a field that is set as a whole, those with ``$`` and ``.`` included.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, cast

import attrs

from authx_adapters._encoding import instant, masked, microseconds, plain
from authx_adapters.mongodb.collections import Document
from authx_core.domain import SocialIdentity, User


def to_document(fields: Mapping[str, object]) -> dict[str, Any]:
    """Turn fields of a user into those of a document."""
    return {_name(field): _ENCODED.get(field, _same)(value) for field, value in fields.items()}


def from_document(document: Document) -> User:
    """Turn a document into a user; what an older version did not know has its default."""
    names = [(field.name, _name(field.name)) for field in attrs.fields(User)]
    return User(**{field: _DECODED.get(field, _same)(document[name]) for field, name in names if name in document})


def _name(field: str) -> str:
    return "_id" if field == "id" else field


def _same(value: Any) -> Any:
    return value


def _optional(convert: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else convert(value)


def _identities(documents: Iterable[Document]) -> tuple[SocialIdentity, ...]:
    return tuple(SocialIdentity(each["provider"], each["subject"]) for each in documents)


_ENCODED: Final[Mapping[str, Callable[[Any], Any]]] = {
    "password_hash": masked,
    "permissions": sorted,
    "identities": lambda identities: [attrs.asdict(each) for each in identities],
    "created_at": microseconds,
    "last_login": _optional(microseconds),
    "extra": plain,
}
_DECODED: Final[Mapping[str, Callable[[Any], Any]]] = {
    "permissions": cast("Callable[[Any], Any]", frozenset),
    "identities": _identities,
    "created_at": instant,
    "last_login": _optional(instant),
    "extra": plain,
    "epoch": int,
    "version": int,
}
