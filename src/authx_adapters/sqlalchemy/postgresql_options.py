"""Options in the URL of PostgreSQL, as arguments of psycopg and asyncpg."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from ssl import create_default_context
from typing import Final
from urllib.parse import quote, urlencode

from authx_adapters.common.address import Address, Hidden, Host, hosts
from authx_adapters.common.options import Read, boolean, file, one_of, read, refuse, span, text, whole
from authx_core import Problem

_SSL_MODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_TLS: Final = one_of("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
_FLAG: Final = one_of("0", "1")
_PLACE: Final[Mapping[str, Read]] = {"host": text, "port": text, "user": text, "password": text, "dbname": text}
_DSN: Final[Mapping[str, Read]] = {
    "sslmode": one_of(*_SSL_MODES),
    "sslcert": file,
    "sslkey": file,
    "sslpassword": text,
    "sslrootcert": file,
    "sslcrl": file,
    "sslnegotiation": one_of("postgres", "direct"),
    "ssl_min_protocol_version": _TLS,
    "ssl_max_protocol_version": _TLS,
    "target_session_attrs": one_of("any", "read-write", "primary", "read-only", "standby", "prefer-standby"),
    "passfile": text,
    "service": text,
    "krbsrvname": text,
    "gsslib": one_of("gssapi", "sspi"),
}
"""Options of libpq that asyncpg reads from a DSN too: https://www.postgresql.org/docs/current/libpq-connect.html."""
_LIBPQ: Final[Mapping[str, Read]] = {
    "hostaddr": text,
    "require_auth": text,
    "keepalives": _FLAG,
    "keepalives_idle": whole(),
    "keepalives_interval": whole(),
    "keepalives_count": whole(),
    "tcp_user_timeout": whole(),
    "sslcompression": _FLAG,
    "sslcertmode": one_of("disable", "allow", "require"),
    "sslcrldir": text,
    "sslsni": _FLAG,
    "requirepeer": text,
    "gssencmode": one_of("disable", "prefer", "require"),
    "gssdelegation": _FLAG,
    "load_balance_hosts": one_of("disable", "random"),
    "fallback_application_name": text,
}
"""Options that only libpq has."""
_TRUE: Final = frozenset({"true", "1", "yes", "on"})
_PORT: Final = 5432
_SESSION: Final[Mapping[str, Read]] = {"application_name": text, "options": text}


def _threshold(value: str) -> int | None:
    return None if value.lower() == "none" else whole()(value)


OTHERS: Final[Mapping[str, Read]] = {
    "ssl": one_of("true", "false", *_SSL_MODES),
    "channel_binding": one_of("disable", "prefer", "require"),
    "client_encoding": one_of("utf8", "utf-8"),
    "connect_timeout": whole(1),
    "command_timeout": span,
    "prepare_threshold": _threshold,
    "statement_cache_size": whole(),
    "prepared_statement_cache_size": whole(),
    "pgbouncer": boolean,
    "connection_limit": whole(1),
}
"""Options that have other names in a driver, or are for the pool."""
KNOWN: Final[Mapping[str, Read]] = {**_PLACE, **_DSN, **_LIBPQ, **_SESSION, **OTHERS}


def needs_libpq(address: Address) -> bool:
    """Whether asyncpg lacks an option of the URL."""
    asked = {name.lower().replace("-", "_"): value.lower() for name, value in address.options.items()}
    wants_psycopg = asked.get("channel_binding") == "require" or asked.get("pgbouncer") in _TRUE
    return wants_psycopg or not _LIBPQ.keys().isdisjoint(asked)


def arguments(address: Address, field: str, driver: str, timeout: float) -> tuple[Hidden, Hidden]:
    """Return the driver's arguments and the pool's.

    Raises `InvalidValue` with every impossible option.
    """
    asyncpg = driver == "asyncpg"
    lacking = {"command_timeout": "psycopg has no such option; connect(…, timeout=…) limits every call"}
    if asyncpg:
        lacking = dict.fromkeys(_LIBPQ, "asyncpg has no such option; postgresql+psycopg:// has it")
    values, problems = read(address, field, KNOWN, lacking)
    if asyncpg and values.get("channel_binding") == "require":
        reason = "has the option 'channel_binding': asyncpg cannot require it; postgresql+psycopg:// can"
        problems.append(Problem(field, "unsupported", reason))
    if asyncpg and values.get("pgbouncer"):
        reason = "has the option 'pgbouncer': asyncpg prepares every statement; postgresql+psycopg:// does not"
        problems.append(Problem(field, "unsupported", reason))
    places = hosts(values.pop("host", None), values.pop("port", None)) or address.hosts
    if isinstance(places, str):
        problems.append(Problem(field, "invalid", places))
        places = ()
    refuse(problems)
    pool = _pool(values)
    if (ssl := values.pop("ssl", None)) is not None:
        values.setdefault("sslmode", {"true": "require", "false": "disable"}.get(ssl, ssl))
    values.pop("client_encoding", None)
    values.pop("channel_binding" if asyncpg else "", None)
    for name, value in (
        ("user", address.user),
        ("password", address.password and address.password.reveal()),
        ("dbname", address.database),
    ):
        if value is not None:
            values.setdefault(name, value)
    return (_asyncpg if asyncpg else _psycopg)(values, places, timeout), pool


def _pool(values: Hidden) -> Hidden:
    limit = values.pop("connection_limit", None)
    return Hidden() if limit is None else Hidden(pool_size=limit, max_overflow=0)


def _unprepared(values: Hidden) -> bool:
    """Whether no statement may stay prepared on a server connection, which a pooler shares with others."""
    sizes = [values.pop(name, None) for name in ("statement_cache_size", "prepared_statement_cache_size")]
    return bool(values.pop("pgbouncer", False)) or 0 in sizes or values.get("prepare_threshold", 0) is None


def _psycopg(values: Hidden, places: Sequence[Host], timeout: float) -> Hidden:
    values.setdefault("connect_timeout", max(2, ceil(timeout)))  # whole seconds; libpq takes 1 as 2
    if _unprepared(values) or "prepare_threshold" not in values:
        values["prepare_threshold"] = None  # a pooler mixes up statements that clients prepare under the same name
    if places:
        values["host"] = ",".join(place.name for place in places)
        if any(place.port for place in places):
            values["port"] = ",".join(str(place.port or "") for place in places)
    return values


def _asyncpg(values: Hidden, places: Sequence[Host], timeout: float) -> Hidden:
    made = Hidden(timeout=values.pop("connect_timeout", timeout))
    if _unprepared(values):
        made |= {"statement_cache_size": 0, "prepared_statement_cache_size": 0}
    values.pop("prepare_threshold", None)  # it prepares each statement at its first use
    for name in ("user", "password", "dbname", "command_timeout"):
        if name in values:
            made["database" if name == "dbname" else name] = values.pop(name)
    if places:
        made["host"] = [place.name for place in places]
        made["port"] = [place.port or _PORT for place in places]
    if values.get("sslrootcert") == "system":  # libpq's word for the system's authorities, which implies verify-full
        made["ssl"] = create_default_context()
        values = Hidden({name: value for name, value in values.items() if name not in {"sslmode", "sslrootcert"}})
    made["server_settings"] = {name: values.pop(name) for name in _SESSION if name in values}
    made["dsn"] = f"postgresql://?{urlencode(values, quote_via=quote)}"
    return made
