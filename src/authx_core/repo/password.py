"""Passwords, and mailed links that reset them."""

from __future__ import annotations

from typing import Literal

from authx_core.domain.secret import Secret
from authx_core.domain.user import User, UserId
from authx_core.repo.base import UsersBase
from authx_core.use_cases import password as passwords


class UsersPasswordMixin(UsersBase):
    """Passwords, and mailed links that reset them."""

    async def get_password_status(self, id: UserId) -> Literal["set", "change"]:
        """Say whether the person can ``set`` a first password or ``change`` one. Raises `UserNotFound`."""
        return await passwords.get_password_status(id, users=self.database)

    async def set_password(self, id: UserId, password: str | Secret) -> User:
        """Give a user another password; every token and reset link issued before is void.

        Raises `InvalidPassword` with every reason; `UserNotFound`.
        """
        password = Secret(password)
        return await passwords.set_password(
            id, password, users=self.database, hasher=self.hasher, events=self, policy=self.policy
        )

    async def is_password_reset_available(self, id: UserId) -> bool:
        """Count a request; True for at most ``policy.reset_max`` in ``policy.reset_timeout``."""
        return await passwords.is_password_reset_available(id, cache=self.cache, policy=self.policy)

    async def set_password_reset_token(self, id: UserId, token: str | Secret) -> None:
        """Make a token good for a reset for ``policy.reset_lifetime``; only its digest is kept.

        The token of a blacklisted user is never good, which the answer does not show; for such a user, and for one
        without an address, no event is published. Raises `UserNotFound`; `InvalidValue` for a token that could be
        guessed, such as one of fewer than 22 characters.
        """
        token = Secret(token)
        await passwords.set_password_reset_token(
            id, token, users=self.database, cache=self.cache, events=self, policy=self.policy
        )

    async def get_id_for_password_reset(self, token: str | Secret) -> UserId | None:
        """Return the id while the token is good; looking does not spend it."""
        token = Secret(token)
        return await passwords.get_id_for_password_reset(token, users=self.database, cache=self.cache, events=self)

    async def reset_password(self, token: str | Secret, password: str | Secret) -> User:
        """Spend a reset link on a new password: exactly one of several concurrent callers wins.

        Raises `InvalidToken`; `InvalidPassword` with every reason, and then the link is still good.
        """
        token, password = Secret(token), Secret(password)
        return await passwords.reset_password(
            token,
            password,
            users=self.database,
            cache=self.cache,
            hasher=self.hasher,
            events=self,
            policy=self.policy,
        )
