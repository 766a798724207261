"""Operations of administrators. The facade does not check the caller: expose them to admin routes only."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from authx_core.domain.user import User, UserId
from authx_core.repo.base import UsersBase
from authx_core.use_cases import blackout, management


class UsersManagementMixin(UsersBase):
    """Blacklist, kick, blackout and permissions."""

    async def get_blacklist(self, *, after: UserId | None = None, size: int = 100) -> list[User]:
        """Return the next ``size`` blacklisted users after this id. Raises `InvalidQuery`."""
        return await management.get_blacklist(after, size, users=self.database, policy=self.policy)

    async def toggle_blacklist(self, id: UserId) -> bool:
        """Blacklist or reinstate, and return whether the user is blacklisted now. Raises `UserNotFound`."""
        return await management.toggle_blacklist(id, users=self.database, events=self)

    async def blacklist(self, id: UserId) -> User:
        """Deactivate a user, or leave one that is; every token is void at once. Raises `UserNotFound`."""
        return await management.blacklist(id, users=self.database, events=self)

    async def reinstate(self, id: UserId) -> User:
        """Activate a user again; tokens issued before stay void. Raises `UserNotFound`."""
        return await management.reinstate(id, users=self.database, events=self)

    async def kick(self, id: UserId) -> User:
        """Void every token issued so far, refresh tokens too, for good. Raises `UserNotFound`."""
        return await management.kick(id, users=self.database, events=self)

    async def get_blackout(self) -> datetime | None:
        """Return the cut-off: tokens issued at or before it are void."""
        return await blackout.get_blackout(users=self.database)

    async def set_blackout(self, ts: datetime) -> datetime:
        """Void everybody's tokens issued up to ``ts`` (aware), and return the cut-off that stands.

        One that is not later than the present cut-off changes nothing and is not published. Raises `InvalidValue`.
        """
        return await blackout.set_blackout(
            ts, published=self.published, users=self.database, clock=self.clock, events=self
        )

    async def delete_blackout(self) -> None:
        """Lift the blackout: tokens that it voided are good again while they live."""
        await blackout.delete_blackout(published=self.published, users=self.database, events=self)

    async def set_permissions(self, id: UserId, permissions: Iterable[str]) -> User:
        """Replace the permissions of a user; tokens issued before are void. Raises `UserNotFound`, `InvalidUser`."""
        return await management.set_permissions(id, permissions, users=self.database, events=self)

    async def add_permissions(self, id: UserId, permissions: Iterable[str]) -> User:
        """Add permissions; nothing is lost in parallel. Raises `UserNotFound`, `InvalidUser`."""
        return await management.add_permissions(id, permissions, users=self.database, events=self)

    async def remove_permissions(self, id: UserId, permissions: Iterable[str]) -> User:
        """Remove permissions; nothing is lost in parallel. Raises `UserNotFound`, `InvalidUser`."""
        return await management.remove_permissions(id, permissions, users=self.database, events=self)
