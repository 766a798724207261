"""Proof that an address is the person's."""

from __future__ import annotations

from authx_core.domain.secret import Secret
from authx_core.domain.user import UserId
from authx_core.repo.base import UsersBase
from authx_core.use_cases import confirm


class UsersConfirmMixin(UsersBase):
    """Proof that an address is the person's."""

    async def is_email_confirmation_available(self, id: UserId) -> bool:
        """Count a request; True for at most ``policy.confirmation_max`` in ``policy.confirmation_timeout``."""
        return await confirm.is_email_confirmation_available(id, cache=self.cache, policy=self.policy)

    async def request_email_confirmation(self, email: str, token: str | Secret | None = None) -> str:
        """Make a link's token for this address (256 bits, URL-safe, unless given) and return it.

        Mail it from the hook or callback that receives `EmailConfirmationRequested`, which is published only for an
        active user's address. Only the token's digest is kept. Raises `InvalidValue` for a token that could be guessed.
        """
        token = None if token is None else Secret(token)
        return await confirm.request_email_confirmation(
            email, token, users=self.database, cache=self.cache, events=self, policy=self.policy
        )

    async def confirm_email(self, token: str | Secret) -> bool:
        """Confirm the address that the token was sent to; True again while the token lives.

        False for an unknown token, an address that was changed since, and a blacklisted user.
        """
        token = Secret(token)
        return await confirm.confirm_email(token, users=self.database, cache=self.cache, events=self)
