"""Usernames."""

from __future__ import annotations

from authx_core.domain.user import User, UserId
from authx_core.repo.base import UsersBase
from authx_core.use_cases import username


class UsersUsernameMixin(UsersBase):
    """Usernames."""

    async def change_username(self, id: UserId, new_username: str) -> User:
        """Give a user another name. Raises `InvalidUser`, `UsernameTaken`, `UserNotFound`."""
        return await username.change_username(id, new_username, users=self.database, events=self, policy=self.policy)
