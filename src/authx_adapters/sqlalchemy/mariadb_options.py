"""Options in the URL of MariaDB or MySQL, as arguments of PyMySQL, asyncmy and aiomysql."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any, Final

from authx_adapters.common.address import Address, Hidden
from authx_adapters.common.options import Read, boolean, file, one_of, read, refuse, text, whole
from authx_core import Problem

_MODES: Final = {
    "DISABLED": None,
    "PREFERRED": None,
    "REQUIRED": (ssl.CERT_NONE, False),
    "VERIFY_CA": (ssl.CERT_REQUIRED, False),
    "VERIFY_IDENTITY": (ssl.CERT_REQUIRED, True),
}
"""MySQL's names for the ways to check a server: https://dev.mysql.com/doc/refman/8.4/en/connection-options.html."""
_SYNONYMS: Final = {
    "true": "REQUIRED",
    "false": "DISABLED",
    "disable": "DISABLED",
    "prefer": "PREFERRED",
    "require": "REQUIRED",
    "verify-ca": "VERIFY_CA",
    "verify-full": "VERIFY_IDENTITY",
    "strict": "VERIFY_IDENTITY",
    "accept_invalid_certs": "REQUIRED",
    "skip-verify": "REQUIRED",
    '{"rejectunauthorized":true}': "VERIFY_IDENTITY",
    '{"rejectunauthorized":false}': "REQUIRED",
}
"""Their names at hosters and in other drivers."""


def _mode(value: str) -> str:
    plain = "".join(value.split())
    return str(one_of(*_MODES)(_SYNONYMS.get(plain.lower(), plain)))


_TLS: Final = ("ssl_mode", "sslmode", "ssl", "tls", "usessl", "sslaccept")
"""Options with the same meaning."""
KNOWN: Final[Mapping[str, Read]] = {
    **dict.fromkeys(_TLS, _mode),
    "ssl_ca": file,
    "sslrootcert": file,
    "ssl_capath": text,
    "ssl_cert": file,
    "ssl_key": file,
    "ssl_verify_cert": boolean,
    "ssl_verify_identity": boolean,
    "ssl_check_hostname": boolean,
    "charset": one_of("utf8mb4", "utf8", "utf8mb3"),
    "connect_timeout": whole(1),
    "read_timeout": whole(1),
    "write_timeout": whole(1),
    "unix_socket": text,
    "sql_mode": text,
    "init_command": text,
    "program_name": text,
    "reconnect": boolean,
    "connection_limit": whole(1),
}
_GALERA: Final = """
BEGIN NOT ATOMIC IF EXISTS (
  SELECT 1 FROM information_schema.system_variables WHERE variable_name = 'WSREP_ON' AND global_value = 'ON'
) THEN EXECUTE IMMEDIATE 'SET SESSION wsrep_retry_autocommit = 0, wsrep_sync_wait = 7'; END IF; END
"""
"""On a node of a cluster: do not repeat statements that have answered, and see the writes of other nodes. A server may
be built without these variables, so the statement checks first, all in one round trip."""
_LACKING: Final = {
    "pymysql": (),
    "asyncmy": ("write_timeout",),
    "aiomysql": ("read_timeout", "write_timeout"),
}


def arguments(address: Address, field: str, driver: str, timeout: float) -> tuple[Hidden, Hidden]:
    """Return the driver's arguments and the pool's.

    Raises `InvalidValue` with every impossible option.
    """
    lacking = dict.fromkeys(_LACKING[driver], f"{driver} has no such option; connect(…, timeout=…) limits every call")
    values, problems = read(address, field, KNOWN, lacking)
    if len(address.hosts) > 1:
        problems.append(Problem(field, "unsupported", f"names several hosts, but {driver} takes only one"))
    disabled = "DISABLED" in {values.get(name) for name in _TLS}
    context, wrong = _context(values)
    if wrong:
        problems.append(Problem(field, "invalid", wrong))
    refuse(problems)
    values.pop("reconnect", None)  # the pool reconnects
    limit = values.pop("connection_limit", None)
    values["charset"] = "utf8mb4"  # which includes the others
    values.setdefault("connect_timeout", timeout)
    values.setdefault("init_command", _GALERA)
    if driver == "pymysql":  # for the handshake, when the adapter has no connection to shut down
        values.setdefault("read_timeout", timeout)
    if context is not None:
        values["ssl"] = context
    elif disabled and driver == "pymysql":  # the other drivers encrypt only on demand
        values["ssl_disabled"] = True
    if address.password is not None:
        values["password"] = address.password.reveal()
    return values, Hidden() if limit is None else Hidden(pool_size=limit, max_overflow=0)


def _context(values: Hidden) -> tuple[ssl.SSLContext | None, str | None]:
    """Return how to encrypt, or None; and the fault, or None. A CA without a mode means VERIFY_CA."""
    modes = [values.pop(name) for name in _TLS if name in values]
    roots = [values.pop(name) for name in ("ssl_ca", "sslrootcert") if name in values]
    folder, certificate, key = (values.pop(name, None) for name in ("ssl_capath", "ssl_cert", "ssl_key"))
    checked, named = values.pop("ssl_verify_cert", False), values.pop("ssl_verify_identity", False)
    named = values.pop("ssl_check_hostname", named)
    if len(set(modes)) > 1:
        return None, "has options for TLS that contradict each other"
    mode: str | None = next(iter(modes), None)
    if mode is None and (roots or folder or certificate or checked or named):
        mode = "VERIFY_IDENTITY" if named else "VERIFY_CA" if roots or folder or checked else "REQUIRED"
    if mode == "REQUIRED" and (roots or folder or checked):
        mode = "VERIFY_IDENTITY" if named else "VERIFY_CA"
    wanted = _MODES[mode] if mode else None
    if wanted is None:
        return None, None
    try:
        context = ssl.create_default_context(
            cafile=next((root for root in roots if root != "system"), None), capath=folder
        )
        context.check_hostname = wanted[1]
        context.verify_mode = wanted[0]
        if certificate:
            context.load_cert_chain(certificate, key)
    except (OSError, ValueError):
        return None, "names a file for TLS that cannot be read"
    return context, None


def check_encrypted(connection: Any) -> None:
    """Close an unencrypted connection and raise `ConnectionError`: aiomysql goes on if the server has no TLS."""
    if not getattr(getattr(connection, "driver_connection", connection), "_secure", True):
        connection.close()
        raise ConnectionError("the server offers no TLS, which the URL requires")
