"""An error advises `create_schema` if tables or columns are missing, and not if the database, role or host is."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import make_url

from authx_adapters.sqlalchemy import SQLAlchemyUserStore
from authx_core import StoreUnavailable
from engines.drivers import SQL, Driver

HINT = "create_schema"
WRONG_PARTS: dict[str, Any] = {
    "database": "authx_missing",
    "username": "authx_missing",
    "host": "missing.invalid",
    "port": 1,
}


async def failure(driver: Driver, url: str) -> str:
    async with driver.client(url) as engine:
        with pytest.raises(StoreUnavailable) as error:
            await SQLAlchemyUserStore(engine).get("ana")
    return str(error.value)


@pytest.mark.parametrize("driver", SQL, ids=str)
async def test_the_advice_is_given_for_missing_tables_only(driver: Driver) -> None:
    with driver.space() as url:
        assert HINT in await failure(driver, url)
        if driver.name == "sqlite":
            assert HINT not in await failure(driver, "sqlite:////missing/users.db")
        if driver.kind is None:
            return
        for part, value in WRONG_PARTS.items():
            other = make_url(url).set(**{part: value}).render_as_string(hide_password=False)
            assert HINT not in await failure(driver, other), part


@pytest.mark.parametrize("driver", [each for each in SQL if each.blocking], ids=str)
async def test_the_advice_is_given_for_a_missing_column(driver: Driver) -> None:
    with driver.space() as url:
        async with driver.client(url) as engine:
            store = SQLAlchemyUserStore(engine)
            await store.create_schema()
            with engine.connect() as connection:
                connection.exec_driver_sql("ALTER TABLE authx_users DROP COLUMN last_login")
        assert HINT in await failure(driver, url)
