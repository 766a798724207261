"""Rows as the driver returns them, decoded here: the errors of column types would not name the row."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NoReturn, cast

from sqlalchemy import Column, Label, Row, Table, type_coerce
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import NULLTYPE

from authx_adapters.common import stored
from authx_adapters.common.encoding import plain
from authx_adapters.common.stored import (
    Decode,
    array,
    flag,
    mapping,
    moment,
    number,
    optional,
    permissions,
    positive,
    text,
)
from authx_core.domain import InvalidSchema, Problem, SocialIdentity, User


def raw(table: Table) -> list[Label[Any]]:
    """Select the columns of a table as the driver returns them."""
    return [_raw(column) for column in table.columns]


def user(row: Row[Any]) -> User:
    """Turn a row into a user. Raises `InvalidSchema` with the id and fields of a row that is not ours."""
    return stored.user(_fields(row), _USER, "row")


def cutoff(row: Row[Any] | None) -> datetime | None:
    """Turn the row of the blackout into its cut-off. Raises `InvalidSchema` as `user` does."""
    return None if row is None else _decoded(_fields(row), {"cutoff": _whole(moment)}, row.id)["cutoff"]


def entry(row: Row[Any]) -> Mapping[str, Any]:
    """Turn a row of a cache into its fields. Raises `InvalidSchema` as `user` does."""
    fields = _fields(row)
    counts = _whole(number) if fields["value"] is None else optional(_whole(number))
    return _decoded(fields, {**_ENTRY, "number": counts}, row.key)


def undecodable(error: DBAPIError) -> Problem | None:
    """Name the column in which SQLite's driver found text that is not UTF-8; its own message quotes the text."""
    found = _UNDECODABLE.match(str(error.orig))
    return (
        Problem(f"a row, {found[1]}", "foreign_row", "is not UTF-8: a row is not the store's, so remove or convert it")
        if found
        else None
    )


def _raw(column: Column[Any]) -> Label[Any]:
    return type_coerce(column, NULLTYPE).label(column.name)


def _fields(row: Row[Any]) -> Mapping[str, Any]:
    named: Any = row._mapping  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - the documented way
    return cast("Mapping[str, Any]", named)


def _decoded(fields: Mapping[str, Any], decoders: Mapping[str, Decode], id_: object) -> Mapping[str, Any]:
    decoded, problems = dict[str, Any](), list[Problem]()
    for name, decode in decoders.items():
        try:
            decoded[name] = decode(fields[name])
        except stored.FAULTS as error:
            problems.append(stored.foreign("row", id_, name, stored.fault(error)))
    if problems:
        raise InvalidSchema(*problems)
    return decoded


def _whole(decode: Decode) -> Decode:
    """Accept a decimal without a fraction as a whole number: a migration may have made the column `NUMERIC`."""

    def decoded(value: Any) -> Any:
        if isinstance(value, Decimal) and value.is_finite() and value == int(value):
            value = int(value)
        return decode(value)

    return decoded


def _flag(value: Any) -> bool:
    """Accept 0 and 1 too, which SQLite and MariaDB store in place of booleans."""
    return bool(value) if type(value) is int and value in {0, 1} else bool(flag(value))


def _json(value: Any) -> Any:
    """Decode JSON unless the driver has done so, as psycopg and asyncpg do."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise ValueError("is not JSON") from None


def _refuse(_: str) -> NoReturn:
    raise ValueError


def _identities(values: Any) -> tuple[SocialIdentity, ...]:
    return tuple(_identity(array(each)) for each in array(_json(values)))


def _identity(pair: list[Any]) -> SocialIdentity:
    try:
        provider, subject = map(text, pair)
    except (TypeError, ValueError):
        raise TypeError("is not a list of pairs of text") from None
    return SocialIdentity(provider, subject)


_UNDECODABLE: Final = re.compile(r"Could not decode to UTF-8 column '(\w+)'")
_USER: Final[Mapping[str, Decode]] = {
    "id": text,
    **dict.fromkeys(("email", "email_key", "username", "username_key", "password_hash"), optional(text)),
    **dict.fromkeys(("active", "confirmed"), _flag),
    "permissions": lambda value: permissions(_json(value)),
    "identities": _identities,
    "created_at": _whole(moment),
    "last_login": optional(_whole(moment)),
    "extra": lambda value: plain(mapping(_json(value))),
    **dict.fromkeys(("epoch", "version"), _whole(positive)),
}
_ENTRY: Final[Mapping[str, Decode]] = {
    "key": text,
    "value": optional(text),
    "stamp": _whole(number),
    "deadline": _whole(moment),
}
