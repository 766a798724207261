"""Clients of MongoDB from URLs."""

from __future__ import annotations

from typing import Any, Final

from pymongo import AsyncMongoClient, MongoClient
from pymongo.errors import PyMongoError
from pymongo.uri_parser import split_options

from authx_adapters.common.address import brief
from authx_core import CacheUnavailable, InvalidValue, Problem, StoreUnavailable
from authx_core.domain.secret import Secret

_OF_THE_DNS: Final = ("The DNS ", "The resolution lifetime ")


def open_client(url: Secret, field: str, timeout: float, *, blocking: bool) -> Any:
    """Make a client, which connects in the background.

    Raises `InvalidValue` for an impossible URL, and `StoreUnavailable` or `CacheUnavailable` if the DNS does not know
    the servers of ``mongodb+srv``.
    """
    problems = [Problem(field, "invalid", reason) for reason in _wrong_options(url)]
    if problems:
        raise InvalidValue(*problems)
    client = _client(url, timeout, blocking=blocking)
    if isinstance(client, str):
        unavailable = CacheUnavailable if field == "cache_url" else StoreUnavailable
        raise unavailable(client)
    if client is not None:
        return client
    reason = "is not a URL of MongoDB (percent-encode : / ? # [ ] @ in names and passwords)"
    raise InvalidValue(Problem(field, "invalid", reason))


def _client(url: Secret, timeout: float, *, blocking: bool) -> Any:
    """Return a client, the error of the DNS, or None for an impossible URL, which PyMongo's error may quote."""
    milliseconds = max(1, round(timeout * 1000))
    names = ("serverSelectionTimeoutMS", "connectTimeoutMS", "waitQueueTimeoutMS")
    given = url.reveal().lower()
    timeouts = {name: milliseconds for name in names if f"{name.lower()}=" not in given}
    make: Any = MongoClient if blocking else AsyncMongoClient
    try:
        return make(url.reveal(), **timeouts)
    except (PyMongoError, ValueError, TypeError) as error:
        said = str(error)
        return said if said.startswith(_OF_THE_DNS) else None


def _wrong_options(url: Secret) -> list[str]:
    """Return the fault of each option that PyMongo refuses, or does not know: of those it would only warn."""
    wrong = list[str]()
    for option in url.reveal().partition("?")[2].replace(";", "&").split("&"):
        name = option.partition("=")[0]
        try:
            split_options(option, validate=True, warn=False) if option else None
        except (PyMongoError, ValueError, TypeError) as error:
            known = "is not known to PyMongo" if "nknown option" in str(error) else "cannot have this value"
            wrong.append(f"has the option {brief(name)}, which {known}")
    return wrong
