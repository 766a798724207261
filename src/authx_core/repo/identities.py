"""Outside accounts by which a user can log in."""

from __future__ import annotations

from authx_core.domain.user import User, UserId
from authx_core.repo.base import UsersBase
from authx_core.use_cases import identities


class UsersIdentityMixin(UsersBase):
    """Outside accounts by which a user can log in."""

    async def link_social(self, id: UserId, provider: str, sid: str) -> User:
        """Let a user log in by an outside account too; ``sid`` is the provider's id for the person.

        Prove first that the account is theirs. One that is linked already changes nothing; nothing is lost in
        parallel. Raises `UserNotFound`; `SocialTaken`; `InvalidUser` for malformed text, or beyond 100 accounts.
        """
        return await identities.link_social(id, provider, sid, users=self.database, events=self)

    async def unlink_social(self, id: UserId, provider: str, sid: str) -> User:
        """Take an outside account from a user; one that is not theirs changes nothing.

        Raises `UserNotFound`; `LastCredential` if there is neither another account nor a password with an address
        or a username; `InvalidUser` for malformed text.
        """
        return await identities.unlink_social(id, provider, sid, users=self.database, events=self)
