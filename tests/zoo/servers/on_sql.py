"""User stores on PostgreSQL and MariaDB with one wrong statement, index or setting each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any, ClassVar, Literal

import attrs
from sqlalchemy import (
    Connection,
    Update,
    bindparam,
    or_,
)
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import StaticPool

from authx_adapters.sqlalchemy import Schema, SQLAlchemyUserStore
from authx_adapters.sqlalchemy.database import Database
from authx_adapters.sqlalchemy.rows import raw
from authx_adapters.sqlalchemy.statements import Statements
from authx_contract import SteppedClock
from authx_core.domain import (
    IdentifierTaken,
    StaleUser,
    StoreUnavailable,
    User,
    UserChanges,
    UserFields,
    UserId,
    UserNotFound,
    checks,
)  # fmt: skip
from authx_core.ports import UserStore
from zoo.machinery.lent import Namespaced, database
from zoo.machinery.registry import C, Server, mutant

Kind = Literal["postgres", "mariadb"]
DRIVERS: dict[Kind, str] = {"postgres": "postgresql+asyncpg", "mariadb": "mysql+asyncmy"}
SERVERS: dict[Kind, Server] = {"postgres": "postgresql", "mariadb": "mariadb"}


class Store(SQLAlchemyUserStore):
    """The project's store; a mutant replaces one of its tables or statements."""

    statements: ClassVar[type[Statements]] = Statements
    engine: ClassVar[dict[str, Any]] = {}

    def __init__(self, client: AsyncEngine, prefix: str) -> None:
        super().__init__(client, self.tables(prefix))
        self._sql = self.statements(self.schema, self._database.name)

    def tables(self, prefix: str) -> Schema:
        return Schema(prefix=prefix)


class OnSQL(Namespaced):
    """Each handle has an engine of its own; the tables of a namespace are created once."""

    adapter: ClassVar[type[Store]]
    kind: ClassVar[Kind]
    made: ClassVar[dict[str, Schema]] = {}

    def __init__(self) -> None:
        self.engines: list[AsyncEngine] = []

    def engine(self) -> AsyncEngine:
        url = f"{DRIVERS[self.kind]}:{database(self.kind).partition(':')[2]}"
        self.engines.append(create_async_engine(url, **self.adapter.engine))
        return self.engines[-1]

    async def open_users(self, _: SteppedClock, /) -> UserStore:
        shared = self.adapter.engine.get("poolclass") is StaticPool and self.engines
        store = self.adapter(self.engines[0] if shared else self.engine(), self.place)
        if self.place not in self.made:
            await store.create_schema()
            self.made[self.place] = store.schema
        return store

    async def reset(self) -> None:
        if schema := self.made.get(self.place):
            engine = self.engines[0] if self.engines else self.engine()
            async with engine.begin() as connection:
                for table in (schema.identities, schema.users, schema.blackout):
                    await connection.execute(table.delete())

    async def close(self) -> None:
        while self.engines:
            await self.engines.pop().dispose()


def broken(killer: str, sentence: str, *kinds: Kind) -> Callable[[C], C]:
    """Put a store into the zoo, on each of these servers."""

    def register(kind: C) -> C:
        for server in kinds:
            name = f"{server.title()}{kind.__name__}"
            home = {"adapter": kind, "kind": server, "__module__": kind.__module__}
            mutant(killer, sentence, needs=SERVERS[server])(type(name, (OnSQL,), home))
        return kind

    return register


class LooksFirst(Store):
    """Looks keys up itself instead of relying on an index."""

    async def create(self, user: User, /) -> User:
        checks.check_user(user)
        taken = await self._run(lambda connection: set(self._taken(connection, user, new=True)))
        if taken:
            raise IdentifierTaken.of(taken)
        return await super().create(user)


def without_index(schema: Schema, column: str) -> Schema:
    """Remove the unique index of a column."""
    users = schema.users
    users.indexes -= {index for index in users.indexes if [each.name for each in index.columns] == [column]}
    return schema


@broken("U-021", "an address is looked up, then inserted, without a unique index", "postgres", "mariadb")
class LooksUpThenInserts(LooksFirst):
    def tables(self, prefix: str) -> Schema:
        return without_index(super().tables(prefix), "email_key")


@broken("U-020", "the unique index of usernames is missing", "postgres", "mariadb")
class LacksOneIndex(Store):
    def tables(self, prefix: str) -> Schema:
        return without_index(super().tables(prefix), "username_key")


@broken("U-035", "the version is compared after a SELECT, and not by the UPDATE", "postgres", "mariadb")
class ComparesInPython(Store):
    async def update(self, user_id: UserId, changes: UserChanges, /, *, expected: UserFields | None = None) -> User:
        checks.check_update(changes, expected)
        user = await self.get(user_id)
        if user is None:
            raise UserNotFound(user_id)
        if any(getattr(user, name) != value for name, value in (expected or {}).items()):
            raise StaleUser(user_id)
        return await super().update(user_id, changes)


@broken("U-091", "an update reads the user back only after its transaction", "postgres", "mariadb")
class ReadsBackLater(Store):
    async def update(self, user_id: UserId, changes: UserChanges, /, *, expected: UserFields | None = None) -> User:
        await super().update(user_id, changes, expected=expected)
        user = await self.get(user_id)
        if user is None:
            raise UserNotFound(user_id)
        return user


@broken("U-020", "ON CONFLICT DO NOTHING, reported as success", "postgres")
class IgnoresConflicts(Store):
    def __init__(self, client: AsyncEngine, prefix: str) -> None:
        super().__init__(client, prefix)
        self._insert = postgresql.insert(self.schema.users).on_conflict_do_nothing()

    async def create(self, user: User, /) -> User:
        checks.check_user(user)
        new = attrs.evolve(user, version=1, created_at=user.created_at.astimezone(timezone.utc))
        await self._run(lambda connection: connection.execute(self._insert, attrs.asdict(new, recurse=False)))
        return new


@broken("U-020", "ON DUPLICATE KEY UPDATE instead of an insert, so that a new user gets another's row", "mariadb")
class TakesOverRows(Store):
    def __init__(self, client: AsyncEngine, prefix: str) -> None:
        super().__init__(client, prefix)
        into = mysql.insert(self.schema.users)
        changed: Any = {"password_hash": into.inserted.password_hash, "username": into.inserted.username}
        self._sql.create = into.on_duplicate_key_update(changed).returning(*raw(self.schema.users))


class TwoTransactions(Store):
    async def create(self, user: User, /) -> User:
        created = await super().create(attrs.evolve(user, identities=()))
        if not user.identities:
            return created
        return await self._linked(created, user)

    async def _linked(self, created: User, user: User) -> User:
        return attrs.evolve(await self.update(created.id, {"identities": user.identities}), version=1)


@broken("U-020", "identities are stored in a second transaction, and the user stays if that is refused", "postgres")
class LinksLater(TwoTransactions):
    pass


@broken(
    "U-081",
    "identities are stored in a second transaction, and `except Exception` undoes the first",
    "postgres",
    "mariadb",
)
class UndoesInExceptException(TwoTransactions):
    async def _linked(self, created: User, user: User) -> User:
        try:
            return await super()._linked(created, user)
        except Exception:
            await self.delete(created.id)
            raise


@broken("U-040", "a delete leaves the identities", "postgres", "mariadb")
class LeavesIdentities(Store):
    def tables(self, prefix: str) -> Schema:
        schema = super().tables(prefix)
        schema.identities.constraints = {
            each for each in schema.identities.constraints if not hasattr(each, "ondelete")
        }
        schema.identities.foreign_keys.clear()
        return schema


@broken("U-042", "a delete looks the user up first, and answers by that", "postgres", "mariadb")
class AsksBeforeDelete(Store):
    async def delete(self, user_id: UserId, /) -> bool:
        there = await self.get(user_id) is not None
        await super().delete(user_id)
        return there


class EqualsNull(Statements):
    def _update(self, changed: frozenset[str], expected: frozenset[str], *, raised: bool = False) -> Update:
        c = self._users.c
        statement = super()._update(changed, frozenset(), raised=raised)
        return statement.where(*(c[name] == bindparam(f"expected_{name}", type_=c[name].type) for name in expected))


@broken("U-037", "expected fields are compared by =, which NULL never equals", "postgres", "mariadb")
class ComparesByEquals(Store):
    statements = EqualsNull


class OnlyChanges(Statements):
    def _update(self, changed: frozenset[str], expected: frozenset[str], *, raised: bool = False) -> Update:
        c = self._users.c
        comparable = [c[name] for name in changed - {"extra", "identities"} - ({"epoch"} if raised else set())]
        differs = [each.is_distinct_from(bindparam(f"new_{each.name}", type_=each.type)) for each in comparable]
        statement = super()._update(changed, expected, raised=raised)
        return statement.where(or_(*differs)) if differs and not raised else statement


@broken("U-031", "0 rows are StaleUser, even if nothing had to change", "postgres", "mariadb")
class CountsUnchangedAsStale(Store):
    statements = OnlyChanges


class Once(Database):
    def _repeated(self, connection: Connection, work: Callable[[Connection], Any]) -> Any:
        return work(connection)


@broken("U-023", "identities are locked in the order given, and a deadlock is not retried", "postgres", "mariadb")
class TellsOfDeadlocks(Store):
    def __init__(self, client: AsyncEngine, prefix: str) -> None:
        super().__init__(client, prefix)
        self._database = Once(client, StoreUnavailable)
        self._run = self._database.run

    def _link(self, connection: Connection, user: User) -> None:
        for each in user.identities:
            super()._link(connection, attrs.evolve(user, identities=(each,)))


@broken("U-032", "an update of an unknown id creates a user", "postgres")
class Upserts(Store):
    async def update(self, user_id: UserId, changes: UserChanges, /, *, expected: UserFields | None = None) -> User:
        try:
            return await super().update(user_id, changes, expected=expected)
        except UserNotFound:
            if not checks.is_text(user_id) or not user_id:
                raise
            return await self.create(User(id=user_id, created_at=datetime.now(timezone.utc), **dict(changes)))  # type: ignore[arg-type]


@broken("U-021", "all handles share one connection", "postgres")
class SharesOneConnection(Store):
    engine: ClassVar[dict[str, Any]] = {"poolclass": StaticPool}
