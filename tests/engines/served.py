"""An application that opens its store as it is imported, for servers that import it and fork then."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import create_engine, func, select

from authx_adapters.sqlalchemy import SQLAlchemyUserStore
from authx_core import run

engine = create_engine(os.environ["AUTHX_URL"], isolation_level="AUTOCOMMIT", skip_autocommit_rollback=True)
store = SQLAlchemyUserStore(engine)
assert run(store.get("warm")) is None  # so that there is a connection to inherit


def ask(user_id: str) -> str:
    """Tell who is found with an id, and on which connection of the server."""
    user = run(store.get(user_id))
    own = func.pg_backend_pid() if engine.dialect.name == "postgresql" else func.connection_id()
    with engine.connect() as connection:
        number = connection.execute(select(own)).scalar_one()
    return f"{'nobody' if user is None else user.id} {number}"


def application(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    """Answer with the id in the path, the connection and the process."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{ask(environ['PATH_INFO'][1:])} {os.getpid()}".encode()]
