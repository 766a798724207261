"""A user as a document, and back.

Each field is stored under its own name, the id as ``_id``, and None as null, so that every document has them all.
Permissions are a sorted array: equal sets are equal arrays, so a compare-and-set can go by them. Instants are whole
microseconds since 1970, because BSON dates keep milliseconds only. ``extra`` is stored natively, for an application to
query and index: MongoDB takes any key inside a field that is set as a whole, those with ``$`` and ``.`` included.
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
    """Turn a document into a user; what an older version did not know has its default.

    Raises `InvalidSchema` for one that somebody else put there, with every field that no user of this store has.
    """
    return stored.user(document, _DECODED, "document", id_name="_id")


def is_user(document: Document) -> bool:
    """Whether a document may be a user: an id that is no text is none of this store's, and nobody asks for it."""
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
