"""Users in PostgreSQL and MariaDB, and on files of SQLite, with one wrong statement or column each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any, ClassVar, Literal

import attrs
from sqlalchemy import (
    Column,
    Connection,
    DateTime,
    Dialect,
    Select,
    String,
    Update,
    bindparam,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import StaticPool
from sqlalchemy.types import TypeDecorator

from authx_adapters.sqlalchemy import Schema, SQLAlchemyUserStore
from authx_adapters.sqlalchemy.database import Database
from authx_adapters.sqlalchemy.statements import Statements, upsert
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
    UserQuery,
    checks,
)  # fmt: skip
from authx_core.ports import UserStore
from zoo.machinery.lent import Namespaced, database
from zoo.machinery.registry import C, Server, mutant

Kind = Literal["postgres", "mariadb"]
DRIVERS: dict[Kind, str] = {"postgres": "postgresql+asyncpg", "mariadb": "mysql+asyncmy"}
SERVERS: dict[Kind, Server] = {"postgres": "postgresql", "mariadb": "mariadb"}


class Store(SQLAlchemyUserStore):
    """The project's store, of whose tables and statements a mutant may exchange one."""

    statements: ClassVar[type[Statements]] = Statements
    engine: ClassVar[dict[str, Any]] = {}

    def __init__(self, client: AsyncEngine, prefix: str) -> None:
        super().__init__(client, self.tables(prefix))
        self._sql = self.statements(self.schema, self._database.name)

    def tables(self, prefix: str) -> Schema:
        return Schema(prefix=prefix)


class OnSQL(Namespaced):
    """Each handle has an engine of its own; the tables of a namespace are made once."""

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
    """Looks keys up itself instead of waiting for an index to refuse."""

    async def create(self, user: User, /) -> User:
        checks.check_user(user)
        taken = await self._run(lambda connection: set(self._taken(connection, user, new=True)))
        if taken:
            raise IdentifierTaken.of(taken)
        return await super().create(user)


def without_index(schema: Schema, column: str) -> Schema:
    """Take the unique index of a column away."""
    users = schema.users
    users.indexes -= {index for index in users.indexes if [each.name for each in index.columns] == [column]}
    return schema


@broken("U-021", "an address is looked up, then inserted, and no index decides", "postgres", "mariadb")
class LooksUpThenInserts(LooksFirst):
    def tables(self, prefix: str) -> Schema:
        return without_index(super().tables(prefix), "email_key")


@broken("U-020", "the unique index of usernames is missing", "postgres", "mariadb")
class LacksOneIndex(Store):
    def tables(self, prefix: str) -> Schema:
        return without_index(super().tables(prefix), "username_key")


class LikeStatements(Statements):
    def _contains(self, column: Column[Any], text: str) -> Any:
        return column.like(literal("%").concat(bindparam(text, type_=String())).concat(literal("%")))


@broken("U-052", "what contains a text is found by LIKE, unescaped", "postgres", "mariadb")
class SearchesByLike(Store):
    statements = LikeStatements


class Naive(TypeDecorator[datetime]):
    """A datetime as most models declare it."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value and value.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value and value.replace(tzinfo=timezone.utc)


class NaiveUTC(Naive):
    """The same, but converted."""

    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value and value.astimezone(timezone.utc).replace(tzinfo=None)


@broken("U-001", "instants lose their offset in a column without time zone", "postgres")
class KeepsLocalTime(Store):
    def tables(self, prefix: str) -> Schema:
        schema = super().tables(prefix)
        schema.users.c.created_at.type = Naive()
        return schema


@broken("U-001", "instants are UTC in a DATETIME, which without fsp keeps whole seconds", "mariadb")
class DropsMicroseconds(Store):
    def tables(self, prefix: str) -> Schema:
        schema = super().tables(prefix)
        schema.users.c.created_at.type = NaiveUTC()
        return schema


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


@broken("U-091", "an update reads the user back after its transaction, whatever that is by then", "postgres", "mariadb")
class ReadsBackLater(Store):
    async def update(self, user_id: UserId, changes: UserChanges, /, *, expected: UserFields | None = None) -> User:
        await super().update(user_id, changes, expected=expected)
        user = await self.get(user_id)
        if user is None:
            raise UserNotFound(user_id)
        return user


@broken("U-020", "ON CONFLICT DO NOTHING, told as success", "postgres")
class IgnoresConflicts(Store):
    def __init__(self, client: AsyncEngine, prefix: str) -> None:
        super().__init__(client, prefix)
        self._insert = postgresql.insert(self.schema.users).on_conflict_do_nothing()

    async def create(self, user: User, /) -> User:
        checks.check_user(user)
        new = attrs.evolve(user, version=1, created_at=user.created_at.astimezone(timezone.utc))
        await self._run(lambda connection: connection.execute(self._insert, attrs.asdict(new, recurse=False)))
        return new


@broken("U-020", "ON DUPLICATE KEY UPDATE where an insert is due, so that the newcomer gets the other's row", "mariadb")
class TakesOverRows(Store):
    def __init__(self, client: AsyncEngine, prefix: str) -> None:
        super().__init__(client, prefix)
        into = mysql.insert(self.schema.users)
        changed: Any = {"password_hash": into.inserted.password_hash, "username": into.inserted.username}
        self._sql.create = into.on_duplicate_key_update(changed).returning(self.schema.users)


class TwoTransactions(Store):
    async def create(self, user: User, /) -> User:
        created = await super().create(attrs.evolve(user, identities=()))
        if not user.identities:
            return created
        return await self._linked(created, user)

    async def _linked(self, created: User, user: User) -> User:
        return attrs.evolve(await self.update(created.id, {"identities": user.identities}), version=1)


@broken("U-020", "identities are stored in a second transaction, and a refused one leaves the user behind", "postgres")
class LinksLater(TwoTransactions):
    pass


@broken(
    "U-081",
    "identities are stored in a second transaction, and an except Exception undoes the first",
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


@broken("U-042", "whether a delete removed somebody is asked before it", "postgres", "mariadb")
class AsksBeforeDelete(Store):
    async def delete(self, user_id: UserId, /) -> bool:
        there = await self.get(user_id) is not None
        await super().delete(user_id)
        return there


@broken("U-051", "a page is found by the offset that its predecessor ended at", "postgres")
class PagesByOffset(Store):
    def __init__(self, client: AsyncEngine, prefix: str) -> None:
        super().__init__(client, prefix)
        self._ends: dict[UserId, int] = {}

    async def search(
        self, query: UserQuery, /, *, limit: int, after: UserId | None = None, offset: int = 0
    ) -> list[User]:
        start = self._ends.get(after, 0) if after else 0
        page = await super().search(
            query, limit=limit, after=None if after in self._ends else after, offset=start + offset
        )
        if page:
            self._ends[page[-1].id] = start + offset + len(page)
        return page


@broken("U-056", "the place to go on from is looked up by its id", "postgres")
class LooksForThePlace(Store):
    async def search(
        self, query: UserQuery, /, *, limit: int, after: UserId | None = None, offset: int = 0
    ) -> list[User]:
        checks.check_page(limit, after, offset)
        if after is not None and await self.get(after) is None:
            return []
        return await super().search(query, limit=limit, after=after, offset=offset)


class OverwritesBlackout(Statements):
    def __init__(self, schema: Schema, dialect: str) -> None:
        super().__init__(schema, dialect)
        row = {"id": 1, "cutoff": bindparam("cutoff", type_=schema.blackout.c.cutoff.type)}
        given = upsert(dialect, schema.blackout, [row], lambda _, new: {"cutoff": new["cutoff"]})
        self.black_out = given.returning(schema.blackout.c.cutoff)


@broken("U-060", "a blackout overwrites a later one", "postgres", "mariadb")
class MovesBlackoutBack(Store):
    statements = OverwritesBlackout


@broken("U-060", "the blackout is read, compared, then overwritten", "postgres")
class ComparesBlackoutInPython(Store):
    statements = OverwritesBlackout

    async def set_blackout(self, cutoff: datetime | None, /) -> datetime | None:
        checks.check_blackout(cutoff)
        before = await self.get_blackout()
        if cutoff is None or before is None or cutoff > before:
            return await super().set_blackout(cutoff)
        return before


class EqualsNull(Statements):
    def _update(self, changed: frozenset[str], expected: frozenset[str], *, raised: bool = False) -> Update:
        c = self._users.c
        statement = super()._update(changed, frozenset(), raised=raised)
        return statement.where(*(c[name] == bindparam(f"expected_{name}", type_=c[name].type) for name in expected))


@broken("U-037", "what is expected is compared by =, which NULL never equals", "postgres", "mariadb")
class ComparesByEquals(Store):
    statements = EqualsNull


class OnlyChanges(Statements):
    def _update(self, changed: frozenset[str], expected: frozenset[str], *, raised: bool = False) -> Update:
        c = self._users.c
        comparable = [c[name] for name in changed - {"extra", "identities"} - ({"epoch"} if raised else set())]
        differs = [each.is_distinct_from(bindparam(f"new_{each.name}", type_=each.type)) for each in comparable]
        statement = super()._update(changed, expected, raised=raised)
        return statement.where(or_(*differs)) if differs and not raised else statement


@broken("U-031", "0 rows are StaleUser, also when nothing needed a change", "postgres", "mariadb")
class CountsUnchangedAsStale(Store):
    statements = OnlyChanges


@broken("U-071", "extra is JSONB, which has numbers of its own", "postgres")
class KeepsJSONB(Store):
    def tables(self, prefix: str) -> Schema:
        schema = super().tables(prefix)
        schema.users.c.extra.type = postgresql.JSONB()
        return schema


class Lowered(Statements):
    def __init__(self, schema: Schema, dialect: str) -> None:
        super().__init__(schema, dialect)
        self.by_username: Select[Any] = select(self._users).where(
            func.lower(self._users.c.username_key) == func.lower(bindparam("value"))
        )


@broken("U-010", "usernames are compared in lower case", "postgres")
class LowersUsernames(Store):
    statements = Lowered

    async def _find(self, statement: Select[Any], **key: str) -> User | None:
        if not all(checks.is_text(part) for part in key.values()):
            return None
        rows = await self._run(lambda connection: connection.execute(statement.limit(1), key).all())
        return User(**rows[0]._mapping) if rows else None


class Once(Database):
    def _repeated(self, connection: Connection, work: Callable[[Connection], Any]) -> Any:
        return work(connection)


@broken("U-023", "the victim of a deadlock is told, and identities are locked as they come", "postgres", "mariadb")
class TellsOfDeadlocks(Store):
    def __init__(self, client: AsyncEngine, prefix: str) -> None:
        super().__init__(client, prefix)
        self._database = Once(client, StoreUnavailable)
        self._run = self._database.run

    def _link(self, connection: Connection, user: User) -> None:
        for each in user.identities:
            super()._link(connection, attrs.evolve(user, identities=(each,)))


@broken("U-032", "an update of nobody makes a user", "postgres")
class Upserts(Store):
    async def update(self, user_id: UserId, changes: UserChanges, /, *, expected: UserFields | None = None) -> User:
        try:
            return await super().update(user_id, changes, expected=expected)
        except UserNotFound:
            if not checks.is_text(user_id) or not user_id:
                raise
            return await self.create(User(id=user_id, created_at=datetime.now(timezone.utc), **dict(changes)))  # type: ignore[arg-type]


@broken("U-050", "the next page begins with the last user of this one", "postgres")
class RepeatsTheLast(Store):
    async def search(
        self, query: UserQuery, /, *, limit: int, after: UserId | None = None, offset: int = 0
    ) -> list[User]:
        page = await super().search(query, limit=limit, after=after, offset=offset)
        last = await self.get(after) if after and page else None
        return [last, *page][:limit] if last and limit > 1 else page


@broken("U-054", "a count leaves the filter by permission out", "postgres")
class CountsWithoutPermission(Store):
    async def count(self, query: UserQuery, /) -> int:
        checks.check_query(query)
        return await super().count(attrs.evolve(query, permission=None))


@broken("U-021", "all handles share one connection", "postgres")
class SharesOneConnection(Store):
    engine: ClassVar[dict[str, Any]] = {"poolclass": StaticPool}


def collated(schema: Schema, collation: str | None) -> Schema:
    """Let columns of keys follow another collation."""
    for table, names in ((schema.users, ("email_key", "username_key")), (schema.identities, ("provider", "subject"))):
        for name in names:
            table.c[name].type = mysql.VARCHAR(255, charset="utf8mb4", collation=collation)
    return schema


@broken("U-010", "keys follow the default collation, which merges case and accents", "mariadb")
class FollowsTheDefaultCollation(Store):
    def tables(self, prefix: str) -> Schema:
        return collated(super().tables(prefix), "utf8mb4_general_ci")


@broken("U-011", "keys follow utf8mb4_bin, which ignores spaces at the end", "mariadb")
class PadsKeys(Store):
    def tables(self, prefix: str) -> Schema:
        return collated(super().tables(prefix), "utf8mb4_bin")


@broken("U-070", "names are cut to 191 characters, as the server does that is not strict", "mariadb")
class CutsNames(Store):
    engine: ClassVar[dict[str, Any]] = {"connect_args": {"init_command": "SET sql_mode = ''"}}

    def tables(self, prefix: str) -> Schema:
        schema = super().tables(prefix)
        for name in ("username", "username_key"):
            schema.users.c[name].type = mysql.VARCHAR(191, charset="utf8mb4", collation="utf8mb4_nopad_bin")
        return schema
