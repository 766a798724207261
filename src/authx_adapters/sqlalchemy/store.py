"""Users in a relational database."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Generator, Iterable
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta, timezone
from typing import Any, Final

import attrs
from sqlalchemy import Connection, Select, Update, union_all
from sqlalchemy.exc import IntegrityError

from authx_adapters.sqlalchemy import references, rows
from authx_adapters.sqlalchemy.database import Client, Database
from authx_adapters.sqlalchemy.errors import code
from authx_adapters.sqlalchemy.galera import removed
from authx_adapters.sqlalchemy.queries import conditions
from authx_adapters.sqlalchemy.schema import Schema
from authx_adapters.sqlalchemy.statements import Statements
from authx_adapters.sqlalchemy.verify import verify_users
from authx_adapters.unbounded import warn_unbounded
from authx_core.domain import (
    NEXT,
    IdentifierTaken,
    SocialIdentity,
    StaleUser,
    StoreUnavailable,
    User,
    UserChanges,
    UserFields,
    UserId,
    UserNotFound,
    UserQuery,
    UserReferenced,
    checks,
    limits,
)
from authx_core.ports import UserStore

_RETRIES: Final = 10
"""Attempts of a write: a taken key may be free again when we ask which one it was."""
_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)
_REFERRED: Final = frozenset({"23001", "23503", 1217, 1451, "FOREIGN KEY constraint failed"})
"""A foreign key forbids a deletion: PostgreSQL's SQLSTATEs, MariaDB's numbers, SQLite's message."""


class SQLAlchemyUserStore(UserStore):
    """Users in PostgreSQL, MariaDB or SQLite, through any client of SQLAlchemy.

    On an `Engine` or `AsyncEngine`, a read is one statement in autocommit, and so is a write that touches no social
    identity. Other writes are one transaction (on MariaDB every `update`, since it cannot return rows).

    On a `Connection`, `Session` or their asynchronous twins, it works inside the caller's transaction: it never commits
    or rolls back what it did not begin, and a savepoint protects the caller's work from the error of a taken key. Such
    a store lives as long as the transaction, and serves one task or thread.

    If a call meets a row that is not ours and is not a user, it raises `InvalidSchema` with the id and the fields.
    """

    def __init__(
        self, client: Client, schema: Schema | None = None, *, timeout: timedelta | float | None = None
    ) -> None:
        """Use the tables of ``schema``, which must exist: see `create_schema`.

        Every call ends within ``timeout`` (seconds or a timedelta), or raises `StoreUnavailable`. None leaves
        that to the settings of your engine and its driver. Raises `InvalidValue` for an impossible timeout, and for a
        database other than PostgreSQL, MariaDB and SQLite.
        """
        self.schema = schema or Schema()
        self._database = Database(client, StoreUnavailable, timeout)
        self._run = self._database.run
        self._sql = Statements(self.schema, self._database.name)

    async def create_schema(self) -> None:
        """Create the missing tables. An application may create them by migrations instead.

        Raises `InvalidValue` inside a caller's transaction, which MariaDB would commit.
        """
        await self._database.create(self.schema)

    async def verify_schema(self) -> None:
        """Check everything that the promises of a store depend on. Call it when an application starts.

        Raises `InvalidSchema` for every missing table or unique index, unsafe collation or SQL mode, and column that
        differs from `Schema`, each with a remedy. On an engine, it writes a meaningless row, looks for it through a
        second connection, and removes it. So it also finds a driver that does not commit, a read-only server, and a
        pooler that mixes up statements. Issues an `UnboundedWarning` without a timeout.
        """
        if not self._database.bounded:
            warn_unbounded(self)
        row = None if self._database.joined else _probe
        await self._run(lambda connection: verify_users(connection, self.schema, row), reads=True)

    async def create(self, user: User, /) -> User:
        """Store a user; see the port."""
        checks.check_user(user)
        values = {field.name: getattr(user, field.name) for field in attrs.fields(User)} | {"version": 1}

        def work(connection: Connection) -> User:
            with self._database.transaction(connection, needed=bool(user.identities)):
                row = connection.execute(self._sql.create, values).one()
                self._link(connection, user)
            return rows.user(row)

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
        raised = changes.get("epoch") is NEXT
        statement = self._sql.update(frozenset(changes), frozenset(expected or ()), raised=raised)
        values = {f"new_{field}": value for field, value in changes.items() if value is not NEXT}
        values |= {f"expected_{field}": value for field, value in (expected or {}).items()}
        values["user_id"] = user_id

        linked = "identities" in changes

        def work(connection: Connection) -> User:
            with self._database.transaction(connection, needed=linked or not self._sql.returns_updated):
                user = self._updated(connection, statement, values)
                if user is not None and linked:
                    connection.execute(self._sql.unlink, {"owner": user_id})
                    self._link(connection, user)
            if user is not None:
                return user
            found = connection.execute(self._sql.by_id, {"value": user_id}).one_or_none()
            if found is not None and raised and rows.user(found).epoch >= limits.MAX_INTEGER:
                raise checks.epoch_spent()
            raise UserNotFound(user_id) if found is None or not expected else StaleUser(user_id)

        claim = _Claim(user_id, changes.get("email_key"), changes.get("username_key"), changes.get("identities", ()))
        return await self._write(work, claim, new=False)

    async def delete(self, user_id: UserId, /) -> bool:
        """Remove a user; see the port."""
        if not checks.is_text(user_id):
            return False

        def work(connection: Connection) -> bool:
            try:
                with self._deleting(connection, user_id):
                    return removed(
                        connection,
                        lambda: connection.execute(self._sql.delete, {"user_id": user_id}).rowcount == 1,
                        lambda: connection.execute(self._sql.by_id, {"value": user_id}).first(),
                    )
            except IntegrityError as error:
                error.hide_parameters = True
                raise UserReferenced(user_id) from error

        return await self._run(work)

    async def search(
        self, query: UserQuery, /, *, limit: int, after: UserId | None = None, offset: int = 0
    ) -> list[User]:
        """Return a page in order of ids; see the port."""
        checks.check_query(query)
        checks.check_page(limit, after, offset)
        given = conditions(query, after)
        statement = self._sql.search(frozenset(given))
        values = {**given, "limit": limit, "offset": offset}
        return await self._run(
            lambda connection: [rows.user(row) for row in connection.execute(statement, values)], reads=True
        )

    async def count(self, query: UserQuery, /) -> int:
        """Return how many users the query finds."""
        checks.check_query(query)
        given = conditions(query)
        statement = self._sql.count(frozenset(given))
        return await self._run(lambda connection: int(connection.execute(statement, given).scalar_one()), reads=True)

    async def get_blackout(self) -> datetime | None:
        """Return the cut-off."""
        return await self._run(
            lambda connection: rows.cutoff(connection.execute(self._sql.blackout).one_or_none()), reads=True
        )

    async def set_blackout(self, cutoff: datetime | None, /) -> datetime | None:
        """Keep the later cut-off and return it. None removes it."""
        checks.check_blackout(cutoff)
        if cutoff is None:
            await self._run(self._lift)
            return None
        given = {"cutoff": cutoff}
        return await self._run(lambda connection: rows.cutoff(connection.execute(self._sql.black_out, given).one()))

    def _lift(self, connection: Connection) -> None:
        removed(
            connection,
            lambda: connection.execute(self._sql.lift).rowcount,
            lambda: connection.execute(self._sql.blackout).first(),
        )

    @contextmanager
    def _deleting(self, connection: Connection, user_id: UserId) -> Generator[None, None, None]:
        """Let a deletion remove the identities and leave no orphans, also on SQLite without foreign keys."""
        on_sqlite = self._database.name == "sqlite"
        with ExitStack() as stack:
            if on_sqlite and not self._database.joined:
                stack.enter_context(references.enforced(connection))
            stack.enter_context(self._database.transaction(connection, needed=on_sqlite))
            if on_sqlite:
                if self._database.joined and references.would_orphan(connection, self.schema, user_id):
                    raise UserReferenced(user_id)
                connection.execute(self._sql.unlink, {"owner": user_id})
            yield

    async def _find(self, statement: Select[Any], **key: str) -> User | None:
        if not all(checks.is_text(part) for part in key.values()):
            return None
        row = await self._run(lambda connection: connection.execute(statement, key).one_or_none(), reads=True)
        return None if row is None else rows.user(row)

    def _updated(self, connection: Connection, statement: Update, values: dict[str, Any]) -> User | None:
        """Run an update. Return the user as stored, or None if no user matches."""
        result = connection.execute(statement, values)
        if self._sql.returns_updated:
            row = result.one_or_none()
        elif result.rowcount:
            row = connection.execute(self._sql.by_id, {"value": values["user_id"]}).one()
        else:
            row = None
        return None if row is None else rows.user(row)

    def _link(self, connection: Connection, user: User) -> None:
        if user.identities:
            linked = [{**attrs.asdict(identity), "user_id": user.id} for identity in user.identities]
            connection.execute(self._sql.link, linked)

    async def _write(self, work: Callable[[Connection], User], claim: User | _Claim, *, new: bool) -> User:
        """Do the work; if a key is taken, name its field."""

        def attempt(connection: Connection) -> User:
            for _ in range(_RETRIES):
                try:
                    return work(connection)
                except IntegrityError as error:
                    error.hide_parameters = True
                    fields = self._taken(connection, claim, new=new) or self._blamed(error)
                    if fields:
                        raise IdentifierTaken.of(fields) from error
                    if code(error) in _REFERRED:
                        raise UserReferenced(claim.id) from error
            raise StoreUnavailable("a key was taken and freed again too often")

        return await self._run(attempt)

    def _taken(self, connection: Connection, claim: User | _Claim, *, new: bool) -> Iterable[str]:
        keys = {field: key for field in ("email", "username") if (key := getattr(claim, f"{field}_key")) is not None}
        found = self._sql.taken(claim.id, keys, claim.identities, new=new)
        if self._database.joined and self._database.is_mariadb:
            # A plain read would show the state of when the caller's transaction began.
            locked = [each.with_for_update(read=True) for each in found]
            return {field for each in locked for field in connection.execute(each).scalars()}
        return set(connection.execute(union_all(*found)).scalars()) if found else set()

    def _blamed(self, error: IntegrityError) -> Iterable[str]:
        """Name the field by the index that refused it, if the caller's transaction does not see the other user."""
        if not self._database.joined:
            return set()
        indexes = {"email": "email_key", "username": "username_key", "identities": self.schema.identities.name}
        return {field for field, index in indexes.items() if index in str(error.orig)}


@attrs.frozen
class _Claim:
    """The keys that an update claims."""

    id: UserId
    email_key: str | None
    username_key: str | None
    identities: tuple[SocialIdentity, ...]


def _probe() -> dict[str, object]:
    """Make a row for the table of the blackout that no statement of ours reads."""
    return {"id": -1 - secrets.randbelow(2**31), "cutoff": _LONG_AGO}
