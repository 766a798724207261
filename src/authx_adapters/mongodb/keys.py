"""The keys that only one user may have: the id, the canonical address and username, and each social identity."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, TypeAlias

from pymongo.errors import DuplicateKeyError

from authx_adapters.mongodb.collections import Document

Key: TypeAlias = tuple[str, ...]
"""The field as `IdentifierTaken` names it, and its value."""

_FIELDS: Final = {"_id": "id", "email_key": "email", "username_key": "username", "identities.provider": "identities"}
"""The first path of each unique index, and the field that it keeps unique."""
_PATHS: Final = {field: path for path, field in _FIELDS.items()}


def keys(document: Document) -> Iterable[Key]:
    """Return the keys in a document, or in a part of one."""
    for path in ("_id", "email_key", "username_key"):
        if document.get(path) is not None:
            yield _FIELDS[path], document[path]
    for identity in document.get("identities", ()):
        yield "identities", identity["provider"], identity["subject"]


def owner(field: str, *key: str) -> dict[str, Any]:
    """Return the filter that finds the owner of a key through its unique index."""
    if field == "identities":
        provider, subject = ({"$eq": part} for part in key)
        pair = {"$elemMatch": {"provider": provider, "subject": subject}}
        return {"identities.provider": provider, "identities": pair}
    return by_id(*key) if field == "id" else {_PATHS[field]: {"$eq": key[0]}}


def by_id(text: str) -> dict[str, Any]:
    """Return the filter of one ``_id``; with ``$eq`` the server would not go straight to the document."""
    return {"_id": text}


def refused(error: DuplicateKeyError) -> set[str]:
    """Return the field whose unique index refused a write; empty if the index is not the store's."""
    paths = (error.details or {}).get("keyPattern", {})
    return {_FIELDS[path] for path in paths if path in _FIELDS}
