"""Rate limits, and logging in."""

from __future__ import annotations

from datetime import timedelta

from authx_core.domain.secret import Secret
from authx_core.domain.user import User
from authx_core.repo.base import UsersBase
from authx_core.use_cases import protection
from authx_core.use_cases.authenticate import authenticate


class UsersProtectionMixin(UsersBase):
    """Rate limits, and logging in."""

    async def _check_timeout_and_incr(self, key: str, max: int, timeout: float | timedelta) -> bool:  # noqa: ASYNC109 - AuthX's name
        """Count a call; True for exactly ``max`` calls in ``timeout`` (seconds or a timedelta), also in parallel."""
        return await protection.within_own_limit(key, max, timeout, cache=self.cache, policy=self.policy)

    async def is_bruteforce(self, ip: str | None, login: str) -> bool:
        """Count an attempt of this client and for this login; True once either is over its limit.

        Further hits do not prolong a lock. IPv6 clients are counted by /64. `authenticate` calls this itself.
        """
        return await protection.is_bruteforce(ip, login, cache=self.cache, events=self, policy=self.policy)

    async def authenticate(self, login: str, password: str | Secret, *, ip: str | None = None) -> User | None:
        """Return the active user with this address or username and this password, or None.

        Counts the attempt first; an unknown login costs as much hashing as a known one; an outdated hash is
        renewed. Raises `TooManyAttempts` (429), `Overloaded` (503), `CacheUnavailable` by policy.
        """
        password = Secret(password)
        return await authenticate(
            login,
            password,
            ip=ip,
            users=self.database,
            cache=self.cache,
            hasher=self.hasher,
            events=self,
            policy=self.policy,
        )
