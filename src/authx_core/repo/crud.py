"""Create, find, change and remove users."""

from __future__ import annotations

from collections.abc import Mapping

from authx_core.domain.registration import concealed
from authx_core.domain.user import NewUser, User, UserId
from authx_core.repo.base import UsersBase
from authx_core.use_cases import crud, lookup, search


class UsersCRUDMixin(UsersBase):
    """Create, find, change and remove users."""

    async def get(self, id: UserId) -> User | None:
        """Return the user with this id, or None."""
        return await lookup.get(id, users=self.database)

    async def get_by_email(self, email: str) -> User | None:
        """Return the user with this address in any spelling, or None."""
        return await lookup.get_by_email(email, users=self.database)

    async def get_by_username(self, username: str) -> User | None:
        """Return the user with this username in any spelling, or None."""
        return await lookup.get_by_username(username, users=self.database)

    async def get_by_social(self, provider: str, sid: str) -> User | None:
        """Return the user who linked this outside account, or None; ``sid`` is the provider's id for the person."""
        return await lookup.get_by_social(provider, sid, users=self.database)

    async def get_by_login(self, login: str) -> User | None:
        """Return the user by an address if there is an ``@``, else by a username; or None."""
        return await lookup.get_by_login(login, users=self.database)

    async def create(self, obj: NewUser | Mapping[str, object]) -> User:
        """Create a user from a `NewUser`, or from a mapping of email, username, password and extra.

        Raises `InvalidUser` listing every bad field; `EmailTaken`, `UsernameTaken`, `SocialTaken` or their
        parent `IdentifierTaken`, whose ``fields`` name every taken one.
        """
        obj = obj if isinstance(obj, NewUser) else concealed(obj)
        return await crud.create(
            obj,
            users=self.database,
            hasher=self.hasher,
            clock=self.clock,
            events=self,
            policy=self.policy,
            new_id=self.new_id,
        )

    async def update(self, id: UserId, obj: Mapping[str, object], *, version: int | None = None) -> User:
        """Change some of email, username and extra; other fields have operations of their own.

        An e-mail address that is written otherwise loses its confirmation. Raises `UserNotFound`; `StaleUser`
        if ``version`` is given and has passed; `InvalidUser`; `IdentifierTaken` or one of its children.
        """
        obj = concealed(obj)
        return await crud.update(id, obj, version=version, users=self.database, events=self, policy=self.policy)

    async def delete(self, id: UserId) -> bool:
        """Remove a user; True if there was one. Links, tokens and lookups are void at once.

        Raises `UserReferenced` if rows of your own tables refer to the user, by a foreign key without `ON DELETE`.
        """
        return await crud.delete(id, users=self.database, events=self)

    async def update_last_login(self, id: UserId) -> User:
        """Note that the user logged in now. Raises `UserNotFound`."""
        return await crud.update_last_login(id, users=self.database, clock=self.clock)

    async def search(
        self, id: UserId | None = None, username: str | None = None, p: int = 1, size: int = 20
    ) -> tuple[list[User], int]:
        """Return page ``p`` (from 1) of the users found, and how many there are in all.

        ``username`` is a piece of one in any case, taken literally; ``size`` is at most ``policy.max_page_size``.
        Raises `InvalidQuery`.
        """
        return await search.search(id, username, p, size, users=self.database, policy=self.policy)

    async def search_after(
        self,
        after: UserId | None = None,
        *,
        username: str | None = None,
        username_prefix: str | None = None,
        email: str | None = None,
        email_prefix: str | None = None,
        active: bool | None = None,
        permission: str | None = None,
        size: int = 20,
    ) -> list[User]:
        """Return the next ``size`` users found after this id: a walk whose pages all cost the same.

        ``username`` and ``email`` are pieces in any case, taken literally; addresses are compared in their
        canonical form, with domains in IDNA's ASCII. Raises `InvalidQuery`.
        """
        return await search.search_after(
            after,
            username=username,
            username_prefix=username_prefix,
            email=email,
            email_prefix=email_prefix,
            active=active,
            permission=permission,
            size=size,
            users=self.database,
            policy=self.policy,
        )
