"""The facade: seven mixins that bind ports to use cases, and `UsersRepo`, which is all of them."""

from authx_core.repo.base import Callback, UsersBase
from authx_core.repo.confirm import UsersConfirmMixin
from authx_core.repo.crud import UsersCRUDMixin
from authx_core.repo.identities import UsersIdentityMixin
from authx_core.repo.management import UsersManagementMixin
from authx_core.repo.password import UsersPasswordMixin
from authx_core.repo.protection import UsersProtectionMixin
from authx_core.repo.username import UsersUsernameMixin
from authx_core.repo.users_repo import UsersRepo

__all__ = [
    "Callback",
    "UsersBase",
    "UsersCRUDMixin",
    "UsersConfirmMixin",
    "UsersIdentityMixin",
    "UsersManagementMixin",
    "UsersPasswordMixin",
    "UsersProtectionMixin",
    "UsersRepo",
    "UsersUsernameMixin",
]
