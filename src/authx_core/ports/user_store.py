"""The port for keeping users."""

from __future__ import annotations

from abc import abstractmethod
from datetime import datetime
from typing import Protocol, runtime_checkable

from authx_core.domain.user import User, UserChanges, UserFields, UserId, UserQuery


@runtime_checkable
class UserStore(Protocol):
    """Keeps users and the blackout.

    A store compares text code point by code point: it does not lower-case, trim, collate or parse. Every method
    may raise `StoreUnavailable` when the engine cannot be reached or times out, and `InvalidValue` for a value that
    no port takes (`authx_core.domain.checks`); a driver's own exception never leaves an adapter.

    A password hash is a `Secret`: an adapter reveals it to its driver alone, and in a form that no error or log
    of the driver shows. ``User(password_hash=text)`` makes a `Secret` of the driver's text.
    """

    @abstractmethod
    async def create(self, user: User, /) -> User:
        """Store a user and return it as stored; a store with ids of its own puts its id in.

        All or nothing. Raises `IdentifierTaken` naming every one of ``id``, ``email``, ``username`` and
        ``identities`` that is taken.
        """

    @abstractmethod
    async def get(self, user_id: UserId, /) -> User | None:
        """Return the user with this id, or None; a malformed id is unknown."""

    @abstractmethod
    async def get_by_email(self, email_key: str, /) -> User | None:
        """Return the user whose canonical address is exactly this, or None."""

    @abstractmethod
    async def get_by_username(self, username_key: str, /) -> User | None:
        """Return the user whose canonical username is exactly this, or None."""

    @abstractmethod
    async def get_by_social(self, provider: str, subject: str, /) -> User | None:
        """Return the user who linked exactly this outside account, or None."""

    @abstractmethod
    async def update(self, user_id: UserId, changes: UserChanges, /, *, expected: UserFields | None = None) -> User:
        """Compare and set in one atomic step; return the user as stored.

        If the user exists and every expected field (``version`` included) has the expected value, the changes are
        applied and the version rises by one, even if nothing else differs; an ``epoch`` that is `NEXT` rises by one in
        the same step. Otherwise nothing is written: `UserNotFound`, `StaleUser` (an expected field differs),
        `IdentifierTaken`, `InvalidValue` (an epoch of 2**63 - 1 cannot rise), `UserReferenced` (rows of the
        application refer to a key or a social identity that the update removes). A ``password_hash`` is a `Secret` in
        both mappings: plain text is `InvalidValue`.
        """

    @abstractmethod
    async def delete(self, user_id: UserId, /) -> bool:
        """Remove a user and free its keys. True for exactly one of several concurrent callers.

        All or nothing. Raises `UserReferenced` if the engine knows of rows of the application that refer to the user.
        """

    @abstractmethod
    async def search(
        self, query: UserQuery, /, *, limit: int, after: UserId | None = None, offset: int = 0
    ) -> list[User]:
        """Return at most ``limit`` (1..1000) users who match the whole query, in order of their ids.

        ``after`` is a keyset: the cost of a page does not depend on its depth.
        """

    @abstractmethod
    async def count(self, query: UserQuery, /) -> int:
        """Return how many users the query finds."""

    @abstractmethod
    async def get_blackout(self) -> datetime | None:
        """Return the cut-off: tokens issued at or before it are void."""

    @abstractmethod
    async def set_blackout(self, cutoff: datetime | None, /) -> datetime | None:
        """Keep the later of the stored and the given cut-off, and return it, in one atomic step.

        None lifts the blackout and returns None.
        """
