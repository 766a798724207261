"""The facade: every mixin in one class."""

from __future__ import annotations

from authx_core.repo.confirm import UsersConfirmMixin
from authx_core.repo.crud import UsersCRUDMixin
from authx_core.repo.identities import UsersIdentityMixin
from authx_core.repo.management import UsersManagementMixin
from authx_core.repo.password import UsersPasswordMixin
from authx_core.repo.protection import UsersProtectionMixin
from authx_core.repo.username import UsersUsernameMixin


class UsersRepo(
    UsersCRUDMixin,
    UsersProtectionMixin,
    UsersConfirmMixin,
    UsersUsernameMixin,
    UsersPasswordMixin,
    UsersIdentityMixin,
    UsersManagementMixin,
):
    """Every operation on users, for asynchronous callers. Extend it: override methods and ``on_<event>``."""
