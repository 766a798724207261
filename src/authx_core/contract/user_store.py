"""What every user store promises: keys, updates, deletion, search, values, errors and races."""

from __future__ import annotations

from authx_core.contract.user_store_delete import UserStoreDelete
from authx_core.contract.user_store_keys import UserStoreKeys
from authx_core.contract.user_store_search import UserStoreSearch
from authx_core.contract.user_store_shared import UserStoreShared
from authx_core.contract.user_store_update import UserStoreUpdate
from authx_core.contract.user_store_values import UserStoreValues


class UserStoreContract(
    UserStoreValues, UserStoreKeys, UserStoreUpdate, UserStoreDelete, UserStoreSearch, UserStoreShared
):
    """Clauses for a `UserStore`."""
