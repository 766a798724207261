"""The user that an update leaves behind."""

from __future__ import annotations

from typing import Any

import attrs

from authx_core.domain import checks
from authx_core.domain.limits import MAX_INTEGER
from authx_core.domain.next import NEXT
from authx_core.domain.user import User, UserChanges


def changed(user: User, changes: UserChanges) -> User:
    """Return the user with these changes and the next version; an epoch that is `NEXT` is one more than before.

    For a store that reads, changes and writes in one atomic step. Raises `InvalidValue` if the epoch cannot rise.
    """
    fields: dict[str, Any] = {**changes, "version": user.version + 1}
    if changes.get("epoch") is NEXT:
        if user.epoch >= MAX_INTEGER:
            raise checks.epoch_spent()
        fields["epoch"] = user.epoch + 1
    return attrs.evolve(user, **fields)
