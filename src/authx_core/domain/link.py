"""A link that was mailed, and what it permits."""

from __future__ import annotations

import attrs

from authx_core.domain.user import User, UserId


@attrs.frozen
class Link:
    """The user of a link, the address that it was sent to, and the epoch in which it was made."""

    user_id: UserId | None
    """None: the link opens nothing."""
    email: str | None
    epoch: int

    def may_confirm(self, user: User) -> bool:
        """Whether the link proves the address of this user: it is still the one that the link was sent to."""
        return user.active and user.email == self.email

    def may_reset(self, user: User) -> bool:
        """Whether the link lets this user in: a kick, or another address or password, voids it.

        The mailbox that it was sent to may be a stranger's by now.
        """
        return self.may_confirm(user) and user.epoch == self.epoch
