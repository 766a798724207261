"""URLs that can be opened, and the messages for those that cannot."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest

from authx_adapters import connect, connect_blocking
from authx_adapters.common.address import Host, parse
from authx_adapters.redis import clients
from authx_adapters.sqlalchemy import mariadb_options, postgresql_options, sqlite_options
from authx_adapters.sqlalchemy.engines import open_engine
from authx_core import InvalidValue
from authx_core.domain.secret import Secret

PASSWORD = "hunter2:correct/horse"
ENCODED = "hunter2%3Acorrect%2Fhorse"


def postgresql(url: str, driver: str) -> dict[str, Any]:
    return postgresql_options.arguments(parse(Secret(url), "url"), "url", driver, 5)[0]


def mariadb(url: str, driver: str) -> dict[str, Any]:
    return mariadb_options.arguments(parse(Secret(url), "url"), "url", driver, 5)[0]


@pytest.mark.parametrize(
    ("url", "user", "password", "hosts", "path"),
    [
        ("postgresql://u:p@h/d", "u", "p", [Host("h")], "d"),
        ("postgresql://u%40server:p%23%3F@h:1/d", "u@server", "p#?", [Host("h", 1)], "d"),
        ("postgresql://u:p@ss@h/d", "u", "p@ss", [Host("h")], "d"),
        ("postgresql://u:p/ss@h/d", "u", "p/ss", [Host("h")], "d"),
        ("postgresql://u:p=%3D+@[::1]:5432/d", "u", "p==+", [Host("::1", 5432)], "d"),
        ("postgresql://h1:1,h2,[fe80::2]:3/d", None, None, [Host("h1", 1), Host("h2"), Host("fe80::2", 3)], "d"),
        ("rediss://:key=@h:6380/0", None, "key=", [Host("h", 6380)], "0"),
        ("sqlite:////var/a%20b.db", None, None, [], "/var/a%20b.db"),
        ("mysql://u@h:3306", "u", None, [Host("h", 3306)], ""),
    ],
)
def test_the_parts_of_a_url(url: str, user: str | None, password: str | None, hosts: list[Host], path: str) -> None:
    address = parse(Secret(url), "url")
    assert (address.user, address.password and address.password.reveal()) == (user, password)
    assert (list(address.hosts), address.path) == (hosts, path)


@pytest.mark.parametrize(
    "url", ["postgresql://[::1/d", "postgresql://h:port/d", "postgresql://h:0/d", "postgresql://h:70000/d", "a b://h"]
)
def test_a_malformed_url_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(InvalidValue, match=r"^url: .*percent-encode") as refused:
        parse(Secret(url), "url")
    assert url not in str(refused.value)


HOSTED = {
    "Heroku": f"postgres://u:{ENCODED}@ec2-1.compute.amazonaws.com:5432/d1?sslmode=require",
    "Render": f"postgresql://u:{ENCODED}@dpg-1.oregon-postgres.render.com/d",
    "Neon": f"postgresql://u:{ENCODED}@ep-1-pooler.neon.tech/d?sslmode=require&channel_binding=require",
    "Supabase": f"postgres://postgres.ref:{ENCODED}@aws-0.pooler.supabase.com:6543/d?pgbouncer=true&connection_limit=1",
    "RDS": f"postgresql://u:{ENCODED}@x.rds.amazonaws.com:5432/d?sslmode=verify-full&target_session_attrs=read-write",
    "Azure": f"postgresql://u%40server:{ENCODED}@server.postgres.database.azure.com:5432/d?sslmode=require",
    "DigitalOcean": f"postgresql://doadmin:{ENCODED}@x.ondigitalocean.com:25060/defaultdb?sslmode=require",
    "Cloud SQL": f"postgresql://u:{ENCODED}@/d?host=/cloudsql/project:region:instance",
    "CockroachDB": f"postgresql://u:{ENCODED}@h:26257/d?sslmode=verify-full&options=--cluster%3Dx-1&application_name=a",
    "several hosts": f"postgresql://u:{ENCODED}@h1:5432,h2:5433/d?target_session_attrs=primary&connect_timeout=3",
    "SQLAlchemy's several hosts": f"postgresql://u:{ENCODED}@/d?host=h1:5432&host=h2:5433",
}


@pytest.mark.parametrize("service", HOSTED)
@pytest.mark.parametrize("blocking", [True, False])
async def test_the_urls_of_hosted_postgresql_services_open(service: str, *, blocking: bool) -> None:
    opened = open_engine(Secret(HOSTED[service]), "url", 5, blocking=blocking)
    assert PASSWORD not in repr(opened)
    libpq = blocking or service in {"Neon", "Supabase"}
    assert opened.engine.dialect.driver == ("psycopg" if libpq else "asyncpg")


def test_postgresql_options_are_translated_for_each_driver() -> None:
    url = (
        f"postgresql://u:{ENCODED}@h1:1,h2/d?sslmode=require&connect_timeout=3&application_name=a&options=-c%20x%3D1"
        "&target_session_attrs=primary&channel_binding=prefer&prepare_threshold=0"
    )
    assert postgresql(url, "psycopg") == {
        "user": "u",
        "password": PASSWORD,
        "dbname": "d",
        "host": "h1,h2",
        "port": "1,",
        "sslmode": "require",
        "connect_timeout": 3,
        "application_name": "a",
        "options": "-c x=1",
        "target_session_attrs": "primary",
        "channel_binding": "prefer",
        "prepare_threshold": 0,
    }
    assert postgresql(url, "asyncpg") == {
        "user": "u",
        "password": PASSWORD,
        "database": "d",
        "host": ["h1", "h2"],
        "port": [1, 5432],
        "timeout": 3,
        "server_settings": {"application_name": "a", "options": "-c x=1"},
        "dsn": "postgresql://?sslmode=require&target_session_attrs=primary",
    }


def test_every_driver_can_trust_the_certificates_of_the_system() -> None:
    url = "postgresql://h/d?sslmode=verify-full&sslrootcert=system"
    assert postgresql(url, "psycopg")["sslrootcert"] == "system"
    context = postgresql(url, "asyncpg")["ssl"]
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


def test_no_statement_stays_prepared_behind_a_pooler() -> None:
    assert postgresql("postgresql://h/d?pgbouncer=true", "psycopg")["prepare_threshold"] is None
    for option in ("prepare_threshold=none", "statement_cache_size=0"):
        assert postgresql(f"postgresql://h/d?{option}", "psycopg")["prepare_threshold"] is None
        assert postgresql(f"postgresql://h/d?{option}", "asyncpg")["statement_cache_size"] == 0
    assert postgresql("postgresql://h/d", "psycopg")["prepare_threshold"] is None


@pytest.mark.parametrize("driver", ["pymysql", "asyncmy", "aiomysql"])
@pytest.mark.parametrize(
    ("options", "verified", "named"),
    [
        ("ssl-mode=REQUIRED", False, False),
        ("ssl_mode=required", False, False),
        ("sslmode=require", False, False),
        ("ssl=true", False, False),
        ("tls=skip-verify", False, False),
        ("ssl-mode=VERIFY_CA", True, False),
        ("ssl_verify_cert=true", True, False),
        ("ssl_mode=VERIFY_IDENTITY", True, True),
        ("sslaccept=strict", True, True),
        ('ssl={"rejectUnauthorized":true}', True, True),
        ("ssl_verify_identity=true", True, True),
    ],
)
def test_mariadb_tls_options_become_an_ssl_context_for_every_driver(
    driver: str, options: str, *, verified: bool, named: bool
) -> None:
    context = mariadb(f"mysql://u:p@h/d?{options}", driver)["ssl"]
    assert (context.verify_mode == ssl.CERT_REQUIRED, context.check_hostname) == (verified, named)


@pytest.mark.parametrize("driver", ["pymysql", "asyncmy", "aiomysql"])
def test_other_options_of_mariadb(driver: str) -> None:
    url = "mysql://u:p@h/d?charset=utf8&reconnect=true&connect_timeout=3&unix_socket=/cloudsql/x&sslmode=disable"
    given = mariadb(url, driver)
    assert {"charset": "utf8mb4", "connect_timeout": 3, "unix_socket": "/cloudsql/x"}.items() <= given.items()
    assert "ssl" not in given


REFUSED = [
    (
        "postgresql://h/d?sslmode=nonsense&connect_timeout=abc&colour=red",
        ["'sslmode'", "'connect_timeout'", "'colour'"],
    ),
    ("postgresql://h/d?prepare_threshold=x&pgbouncer=perhaps", ["'prepare_threshold'", "'pgbouncer'"]),
    ("postgresql://h/d?sslrootcert=/nowhere", ["'sslrootcert'"]),
    ("mysql://h/d?ssl-mode=nonsense&charset=latin1&autocommit=1", ["'ssl-mode'", "'charset'", "'autocommit'"]),
    ("mysql://h/d?ssl_ca=/nowhere", ["'ssl_ca'"]),
    ("mysql://h/d?ssl=true&tls=false", ["contradict"]),
    ("mysql://h1,h2/d", ["several hosts"]),
    ("sqlite:///file:x?mode=memory&uri=true", ["memory://"]),
    ("sqlite:///file::memory:?uri=true", ["memory://"]),
    ("sqlite:///file:%3Amemory%3A?uri=true", ["memory://"]),
    ("sqlite:///file:?uri=true", ["memory://"]),
    ("sqlite:///file:/x?vfs=memdb&uri=true", ["memory://"]),
    ("sqlite:///file:x?mode=ro&uri=true", ["'mode'"]),
    ("sqlite:///file:x?cache=shared&nolock=1&immutable=1", ["'cache'", "'nolock'", "'immutable'"]),
    ("sqlite:///x.db?vfs=unix-none&isolation_level=EXCLUSIVE", ["'vfs'", "'isolation_level'"]),
    ("sqlite:///x.db?mode=rw", ["file: URI"]),
    ("sqlite://users.db", ["three slashes"]),
    ("sqlite+turso:///x.db", ["'turso'", "not supported", "sqlite+pysqlite://"]),
    ("sqlite+pysqlcipher://:key@/x.db", ["'pysqlcipher'", "not supported"]),
    ("postgresql+pg8000://h/d", ["'pg8000'", "postgresql+psycopg://"]),
    ("mysql+mysqldb://h/d", ["'mysqldb'", "mariadb+pymysql://"]),
    ("mongodb://h/d?connectTimeoutMS=abc&colour=red", ["'connectTimeoutMS'", "'colour'"]),
    ("oracle://h/d", ["'oracle'"]),
]
REFUSED_CACHES = [
    ("redis://h/0?colour=red&socket_timeout=soon", ["'colour'", "'socket_timeout'"]),
    ("redis://h/users", ["number of a database"]),
    ("redis://h1,h2/0", ["redis+cluster://"]),
    ("redis://h?ssl_cert_reqs=none", ["'ssl_cert_reqs'"]),
    ("rediss://h?ssl_cert_reqs=perhaps", ["'ssl_cert_reqs'"]),
    ("redis+cluster://h/3", ["a cluster has only 0"]),
    ("redis+sentinel://h:26379", ["names no service"]),
    ("unix://run/redis.sock", ["three slashes"]),
    ("memcached://h", ["'memcached'"]),
]


@pytest.mark.parametrize(("url", "words"), REFUSED)
async def test_unsupported_options_are_reported_together_by_name(url: str, words: list[str]) -> None:
    with pytest.raises(InvalidValue) as blocking, connect_blocking(url):
        pass
    with pytest.raises(InvalidValue) as asynchronous:
        async with connect(url):
            pass
    for refused in (blocking.value, asynchronous.value):
        assert {problem.field for problem in refused.problems} == {"url"}
        assert all(word in str(refused) for word in words), refused


@pytest.mark.parametrize(("url", "words"), REFUSED_CACHES)
async def test_unsupported_options_of_a_cache_are_refused_by_name(url: str, words: list[str]) -> None:
    with pytest.raises(InvalidValue) as blocking, connect_blocking("memory://", cache_url=url):
        pass
    with pytest.raises(InvalidValue) as asynchronous:
        async with connect("memory://", cache_url=url):
            pass
    for refused in (blocking.value, asynchronous.value):
        assert {problem.field for problem in refused.problems} == {"cache_url"}
        assert all(word in str(refused) for word in words), refused


@pytest.mark.parametrize("scheme", ["sqlite", "sqlite+aiosqlite"])
@pytest.mark.parametrize("options", ["", "?uri=true", "?mode=rwc&uri=true&cache=private&timeout=1"])
async def test_a_file_may_be_named_by_a_uri(scheme: str, options: str, tmp_path: Path) -> None:
    async with connect(f"{scheme}:///file:{tmp_path}/a%20b.db{options}") as users:
        assert (await users.create({"username": "ana"})).username == "ana"
    assert (tmp_path / "a b.db").exists()


def test_options_of_redis() -> None:
    opened = clients.open_client(
        Secret(f"rediss://:{ENCODED}@h:1/2?ssl_cert_reqs=none&prefix=p:"), "url", 0.5, blocking=True
    )
    pool = opened.client.connection_pool
    assert opened.options == {"prefix": "p:"}
    assert PASSWORD not in repr(pool.connection_kwargs)
    assert pool.connection_kwargs["credential_provider"].get_credentials() == (PASSWORD,)
    assert (pool.connection_kwargs["db"], pool.connection_kwargs["ssl_check_hostname"]) == (2, False)


TABLE = (Path(__file__).parents[3] / "docs" / "engines.md").read_text(encoding="utf-8").partition("## URLs")[2]


@pytest.mark.parametrize(
    ("scheme", "known"),
    [
        ("mariadb://", mariadb_options.KNOWN),
        ("sqlite:///users.db", sqlite_options.KNOWN),
        ("redis://", {**clients.KNOWN, **clients.TLS}),
        ("redis+sentinel://", clients.SENTINEL),
        ("postgresql://", postgresql_options.OTHERS.keys() - {"channel_binding", "client_encoding", "connect_timeout"}),
    ],
)
def test_the_table_of_options_is_complete(scheme: str, known: Any) -> None:
    row = next(line for line in TABLE.splitlines() if line.startswith(f"| `{scheme}"))
    assert [name for name in known if f"`{name}`" not in row] == []


@pytest.mark.parametrize(
    "option", ["channel_binding=require", "pgbouncer=true", "keepalives_idle=30", "gssencmode=disable"]
)
async def test_an_option_that_asyncpg_lacks_selects_psycopg_or_is_refused_by_name(option: str) -> None:
    opened = open_engine(Secret(f"postgresql://h/d?{option}"), "url", 5, blocking=False)
    assert opened.engine.dialect.driver == "psycopg"
    with pytest.raises(InvalidValue, match=rf"'{option.partition('=')[0]}'.*postgresql\+psycopg://"):
        open_engine(Secret(f"postgresql+asyncpg://h/d?{option}"), "url", 5, blocking=False)
