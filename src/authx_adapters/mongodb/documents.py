"""A user as a document, and back.

Each field is stored under its own name, the id as ``_id``, and None as null, so that every document has them all.
Permissions are a sorted array: equal sets are equal arrays, so a compare-and-set can go by them. Instants are whole
microseconds since 1970, because BSON dates keep milliseconds only. ``extra`` is stored natively, for an application to
query and index: MongoDB takes any key inside a field that is set as a whole, those with ``$`` and ``.`` included.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

import attrs

from authx_adapters._encoding import instant, masked, microseconds, plain
from authx_adapters.mongodb.collections import Document
from authx_core.domain import InvalidSchema, Problem, SocialIdentity, User


def to_document(fields: Mapping[str, object]) -> dict[str, Any]:
    """Turn fields of a user into those of a document."""
    return {_name(field): _ENCODED.get(field, _same)(value) for field, value in fields.items()}


def from_document(document: Document) -> User:
    """Turn a document into a user; what an older version did not know has its default.

    Raises `InvalidSchema` for one that somebody else put there, with every field that no user of this store has.
    """
    fields = dict[str, Any]()
    problems = list[Problem]()
    for attribute in attrs.fields(User):
        name = _name(attribute.name)
        if name in document:
            try:
                fields[attribute.name] = _DECODED[attribute.name](document[name])
            except (TypeError, ValueError, LookupError, ArithmeticError) as error:
                problems.append(_foreign(document, name, str(error) or type(error).__name__))
        elif attribute.default is attrs.NOTHING:
            problems.append(_foreign(document, name, "is missing"))
    if problems:
        raise InvalidSchema(*problems)
    return User(**fields)


def is_user(document: Document) -> bool:
    """Whether a document may be a user: an id that is no text is none of this store's, and nobody asks for it."""
    return isinstance(document["_id"], str)


def _foreign(document: Document, name: str, fault: str) -> Problem:
    reason = f"{fault}: this document is not the store's, so remove or convert it"
    return Problem(f"document {str(document['_id'])[:255]!r}, {name}", "foreign_document", reason)


def _name(field: str) -> str:
    return "_id" if field == "id" else field


def _same(value: Any) -> Any:
    return value


def _optional(convert: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else convert(value)


def _a(kind: type, name: str) -> Callable[[Any], Any]:
    """Return a function that lets values of one kind pass. It raises `TypeError` that names the kind, not the value."""

    def check(value: Any) -> Any:
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise TypeError(f"is not {name}")
        return value

    return check


_text: Final = _a(str, "text")
_flag: Final = _a(bool, "true or false")
_number: Final = _a(int, "a whole number")
_list: Final = _a(list, "a list")
_object: Final = _a(Mapping, "an object")


def _instant(value: Any) -> datetime:
    return instant(_a(int, "a whole number of microseconds since 1970")(value))


def _permissions(values: Any) -> frozenset[str]:
    return frozenset(_text(each) for each in _list(values))


def _identities(documents: Any) -> tuple[SocialIdentity, ...]:
    return tuple(
        SocialIdentity(_text(_object(each).get("provider")), _text(each.get("subject"))) for each in _list(documents)
    )


_ENCODED: Final[Mapping[str, Callable[[Any], Any]]] = {
    "password_hash": masked,
    "permissions": sorted,
    "identities": lambda identities: [attrs.asdict(each) for each in identities],
    "created_at": microseconds,
    "last_login": _optional(microseconds),
    "extra": plain,
}
_DECODED: Final[Mapping[str, Callable[[Any], Any]]] = {
    "id": _text,
    **dict.fromkeys(("email", "email_key", "username", "username_key", "password_hash"), _optional(_text)),
    **dict.fromkeys(("active", "confirmed"), _flag),
    "permissions": _permissions,
    "identities": _identities,
    "created_at": _instant,
    "last_login": _optional(_instant),
    "extra": lambda extra: plain(_object(extra)),
    **dict.fromkeys(("epoch", "version"), lambda number: int(_number(number))),
}
