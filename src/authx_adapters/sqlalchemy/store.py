"""Users in a relational database."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final, TypeVar

import attrs
from sqlalchemy import Connection, Engine, Row, Select
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine

from authx_adapters.sqlalchemy.schema import Schema
from authx_adapters.sqlalchemy.statements import Statements, after_prefix
from authx_core.domain import (
    IdentifierTaken,
    InvalidValue,
    Problem,
    SocialIdentity,
    StaleUser,
    StoreUnavailable,
    User,
    UserChanges,
    UserFields,
    UserId,
    UserNotFound,
    UserQuery,
    checks,
)
from authx_core.ports import UserStore

T = TypeVar("T")
_RETRIES: Final = 10
"""A key that was taken may be free by the time that one asks which it was."""


class SQLAlchemyUserStore(UserStore):
    """Users behind an `Engine` or an `AsyncEngine`, which stays its owner's.

    A read, and a write that touches no social identity, is one statement in autocommit; other writes are one
    transaction.
    """

    def __init__(self, engine: Engine | AsyncEngine, schema: Schema | None = None) -> None:
        """Use the tables of ``schema``, which must exist: see `create_schema`.

        Raises `InvalidValue` for another database than SQLite.
        """
        if engine.dialect.name != "sqlite":
            raise InvalidValue(
                Problem("engine", "unsupported", "must be of SQLite: other databases are not proved yet")
            )
        self.schema = schema or Schema()
        self._sql = Statements(self.schema)
        self._engine: Engine | AsyncEngine = engine.execution_options(isolation_level="AUTOCOMMIT")

    async def create_schema(self) -> None:
        """Create the tables that are missing; an application with migrations has them made by those."""
        await self._run(self.schema.create)

    async def create(self, user: User, /) -> User:
        """Store a user; see the port."""
        checks.check_user(user)
        values = {field.name: getattr(user, field.name) for field in attrs.fields(User)} | {"version": 1}

        def work(connection: Connection) -> User:
            with _transaction(connection, needed=bool(user.identities)):
                row = connection.execute(self._sql.create, values).one()
                self._link(connection, user)
            return _user(row)

        return await self._write(work, user, new=True)

    async def get(self, user_id: UserId, /) -> User | None:
        """Return the user with this id."""
        return await self._find(self._sql.by_id, value=user_id)

    async def get_by_email(self, email_key: str, /) -> User | None:
        """Return the user with this canonical address."""
        return await self._find(self._sql.by_email, value=email_key)

    async def get_by_username(self, username_key: str, /) -> User | None:
        """Return the user with this canonical username."""
        return await self._find(self._sql.by_username, value=username_key)

    async def get_by_social(self, provider: str, subject: str, /) -> User | None:
        """Return the user who linked this account."""
        return await self._find(self._sql.by_social, provider=provider, subject=subject)

    async def update(self, user_id: UserId, changes: UserChanges, /, *, expected: UserFields | None = None) -> User:
        """Compare and set; see the port."""
        checks.check_update(changes, expected)
        if not checks.is_text(user_id):
            raise UserNotFound(user_id)
        statement = self._sql.update(frozenset(changes), frozenset(expected or ()))
        values = {f"new_{field}": value for field, value in changes.items()}
        values |= {f"expected_{field}": value for field, value in (expected or {}).items()}
        values["user_id"] = user_id

        def work(connection: Connection) -> User:
            with _transaction(connection, needed="identities" in changes):
                row = connection.execute(statement, values).one_or_none()
                user = None if row is None else _user(row)
                if user is not None and "identities" in changes:
                    connection.execute(self._sql.unlink, {"owner": user_id})
                    self._link(connection, user)
            if user is not None:
                return user
            found = connection.execute(self._sql.by_id, {"value": user_id}).one_or_none()
            raise UserNotFound(user_id) if found is None else StaleUser(user_id)

        claim = _Claim(user_id, changes.get("email_key"), changes.get("username_key"), changes.get("identities", ()))
        return await self._write(work, claim, new=False)

    async def delete(self, user_id: UserId, /) -> bool:
        """Remove a user; see the port."""
        if not checks.is_text(user_id):
            return False

        def work(connection: Connection) -> bool:
            with _transaction(connection):
                connection.execute(self._sql.unlink, {"owner": user_id})
                return connection.execute(self._sql.delete, {"user_id": user_id}).rowcount == 1

        return await self._run(work)

    async def search(
        self, query: UserQuery, /, *, limit: int, after: UserId | None = None, offset: int = 0
    ) -> list[User]:
        """Return a page in order of ids; see the port."""
        checks.check_query(query)
        checks.check_page(limit, after, offset)
        given = _given(query) | ({} if after is None else {"after": after})
        statement = self._sql.search(frozenset(given))
        values = {**given, "limit": limit, "offset": offset}
        return await self._run(lambda connection: [_user(row) for row in connection.execute(statement, values)])

    async def count(self, query: UserQuery, /) -> int:
        """Return how many users the query finds."""
        checks.check_query(query)
        given = _given(query)
        statement = self._sql.count(frozenset(given))
        return await self._run(lambda connection: int(connection.execute(statement, given).scalar_one()))

    async def get_blackout(self) -> datetime | None:
        """Return the cut-off."""
        return await self._run(lambda connection: connection.execute(self._sql.blackout).scalar_one_or_none())

    async def set_blackout(self, cutoff: datetime | None, /) -> None:
        """Keep the later cut-off; None lifts it."""
        checks.check_blackout(cutoff)
        if cutoff is None:
            await self._run(lambda connection: connection.execute(self._sql.lift))
        else:
            await self._run(lambda connection: connection.execute(self._sql.black_out, {"cutoff": cutoff}))

    async def _find(self, statement: Select[Any], **key: str) -> User | None:
        if not all(checks.is_text(part) for part in key.values()):
            return None
        row = await self._run(lambda connection: connection.execute(statement, key).one_or_none())
        return None if row is None else _user(row)

    def _link(self, connection: Connection, user: User) -> None:
        if user.identities:
            linked = [{**attrs.asdict(identity), "user_id": user.id} for identity in user.identities]
            connection.execute(self._sql.link, linked)

    async def _write(self, work: Callable[[Connection], User], claim: User | _Claim, *, new: bool) -> User:
        """Do the work; when a key is taken, say which."""
        keys = {field: key for field in ("email", "username") if (key := getattr(claim, f"{field}_key")) is not None}

        def attempt(connection: Connection) -> User:
            for _ in range(_RETRIES):
                try:
                    return work(connection)
                except IntegrityError as error:
                    error.hide_parameters = True
                    taken = self._sql.taken(claim.id, keys, claim.identities, new=new)
                    fields = connection.execute(taken).scalars().all()
                    if fields:
                        raise IdentifierTaken.of(fields) from error
            raise StoreUnavailable("a key was taken and freed again too often")

        return await self._run(attempt)

    async def _run(self, work: Callable[[Connection], T]) -> T:
        """Take a connection of either kind through the work: the one seam between blocking and asynchronous."""
        with _translated():
            if isinstance(self._engine, AsyncEngine):
                async with self._engine.connect() as asynchronous:
                    return await asynchronous.run_sync(work)
            with self._engine.connect() as connection:
                return work(connection)


@attrs.frozen
class _Claim:
    """What an update lays claim to."""

    id: UserId
    email_key: str | None
    username_key: str | None
    identities: tuple[SocialIdentity, ...]


def _user(row: Row[Any]) -> User:
    return User(**row._mapping)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - the documented way


def _given(query: UserQuery) -> dict[str, object]:
    given: dict[str, object] = attrs.asdict(query, filter=lambda _, value: value is not None)
    for field in ("username", "email"):
        prefix = given.get(f"{field}_prefix")
        if isinstance(prefix, str) and (before := after_prefix(prefix)) is not None:
            given[f"{field}_before"] = before
    return given


@contextmanager
def _transaction(connection: Connection, *, needed: bool = True) -> Generator[None, None, None]:
    """Hold SQLite's write lock from the start, so that no two transactions wait for each other."""
    if not needed:
        yield
        return
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.exec_driver_sql("ROLLBACK")
        raise
    connection.exec_driver_sql("COMMIT")


@contextmanager
def _translated() -> Generator[None, None, None]:
    try:
        yield
    except (DBAPIError, PoolTimeout) as error:
        cause: BaseException = error
        if isinstance(error, DBAPIError):
            error.hide_parameters = True
            cause = error.orig or error
        reason = f"{type(cause).__name__}: {cause}"
        if "no such table" in reason:
            reason += " (create_schema or a migration makes the tables)"
        raise StoreUnavailable(reason) from error
