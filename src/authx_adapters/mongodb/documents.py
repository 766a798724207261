"""A user as a document, and back.

Each field is stored under its own name, the id as ``_id``, and None as null, so that every document has all fields.
Permissions are a sorted array: equal sets are equal arrays, so a compare-and-set can compare them. Instants are whole
microseconds since 1970, because BSON dates keep only milliseconds. ``extra`` is stored natively, so that an application
can query and index it: inside a field that is set as a whole, MongoDB accepts every key, also with ``$`` and ``.``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs

from authx_adapters.common import stored
from authx_adapters.common.encoding import masked, microseconds, plain
from authx_adapters.common.stored import Decode, array, flag, mapping, moment, optional, permissions, positive, text
from authx_adapters.mongodb.collections import Document
from authx_core.domain import SocialIdentity, User


def to_document(fields: Mapping[str, object]) -> dict[str, Any]:
    """Turn fields of a user into those of a document."""
    return {_name(field): _ENCODED.get(field, _same)(value) for field, value in fields.items()}


def from_document(document: Document) -> User:
    """Turn a document into a user. A field that an older version did not write has its default.

    Raises `InvalidSchema` with every impossible field of a document that is not ours.
    """
    return stored.user(document, _DECODED, "document", id_name="_id")


def is_user(document: Document) -> bool:
    """Whether a document may be a user: this store writes no id that is not text."""
    return isinstance(document["_id"], str)


def _name(field: str) -> str:
    return "_id" if field == "id" else field


def _same(value: Any) -> Any:
    return value


def _identities(documents: Any) -> tuple[SocialIdentity, ...]:
    return tuple(
        SocialIdentity(text(mapping(each).get("provider")), text(each.get("subject"))) for each in array(documents)
    )


_ENCODED: Final[Mapping[str, Callable[[Any], Any]]] = {
    "password_hash": masked,
    "permissions": sorted,
    "identities": lambda identities: [attrs.asdict(each) for each in identities],
    "created_at": microseconds,
    "last_login": optional(microseconds),
    "extra": plain,
}
_DECODED: Final[Mapping[str, Decode]] = {
    "id": text,
    **dict.fromkeys(("email", "email_key", "username", "username_key", "password_hash"), optional(text)),
    **dict.fromkeys(("active", "confirmed"), flag),
    "permissions": permissions,
    "identities": _identities,
    "created_at": moment,
    "last_login": optional(moment),
    "extra": lambda extra: plain(mapping(extra)),
    **dict.fromkeys(("epoch", "version"), positive),
}
