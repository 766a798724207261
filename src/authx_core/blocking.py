"""The same core for callers without an event loop.

With blocking adapters a use case never suspends, so sending ``None`` once runs it to its end: no loop, no thread,
no greenlet, and nothing generated.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial, update_wrapper
from typing import Any, Concatenate, Final, Generic, ParamSpec, TypeVar, cast, overload

from authx_core.domain.errors import Suspended
from authx_core.repo import UsersRepo

_SUSPENSIONS: Final = 1000
"""Of a coroutine that catches `Suspended` each time, before it is closed."""

P = ParamSpec("P")
T = TypeVar("T")


def run(coroutine: Coroutine[Any, Any, T], /) -> T:
    """Run a coroutine that never suspends, and return its result.

    Where it does suspend, `Suspended` is raised inside it, so that it may go on: a callback that waits stops no
    other. Raises `Suspended` if the coroutine does not catch it.
    """
    name: str = getattr(coroutine, "__qualname__", "")
    step: Callable[[], object] = partial(coroutine.send, None)
    for _ in range(_SUSPENSIONS):
        try:
            step()
        except StopIteration as stop:
            result: T = stop.value
            return result
        step = partial(coroutine.throw, Suspended(name))
    coroutine.close()
    raise Suspended(name)


class blocking(Generic[P, T]):  # noqa: N801 - reads as the decorator that it is
    """A blocking operation of the wrapper, with the exact signature of an asynchronous one of `UsersRepo`.

    For operations that a subclass adds:

        class Accounts(UsersRepo):
            async def rename_all(self, suffix: str) -> int: ...

        class BlockingAccounts(BlockingUsersRepo):
            rename_all = blocking(Accounts.rename_all)
    """

    def __init__(self, operation: Callable[Concatenate[Any, P], Coroutine[Any, Any, T]], /) -> None:
        self._name = operation.__name__
        update_wrapper(cast("Callable[..., T]", self), operation)

    @overload
    def __get__(self, instance: None, owner: type[BlockingUsersRepo], /) -> blocking[P, T]: ...
    @overload
    def __get__(self, instance: BlockingUsersRepo, owner: type[BlockingUsersRepo], /) -> Callable[P, T]: ...
    def __get__(
        self, instance: BlockingUsersRepo | None, owner: type[BlockingUsersRepo], /
    ) -> blocking[P, T] | Callable[P, T]:
        if instance is None:
            return self
        operation: Callable[P, Coroutine[Any, Any, T]] = getattr(instance.users, self._name)

        def call(*args: P.args, **kwargs: P.kwargs) -> T:
            coroutine = operation(*args, **kwargs)
            del args, kwargs  # so that no traceback with locals shows a password
            return run(coroutine)

        return update_wrapper(call, operation)


class BlockingUsersRepo:
    """Every operation of a `UsersRepo` over blocking adapters, for callers without an event loop.

    It wraps one, so a method that a subclass of `UsersRepo` overrides counts here too.
    """

    def __init__(self, users: UsersRepo) -> None:
        """Wrap ``users``, whose adapters must be blocking."""
        self.users = users

    def close(self) -> None:
        """Close what `authx_adapters.open_users_blocking` opened for this facade; a second time does nothing."""
        run(self.users.aclose())

    get = blocking(UsersRepo.get)
    get_by_email = blocking(UsersRepo.get_by_email)
    get_by_username = blocking(UsersRepo.get_by_username)
    get_by_social = blocking(UsersRepo.get_by_social)
    get_by_login = blocking(UsersRepo.get_by_login)
    create = blocking(UsersRepo.create)
    update = blocking(UsersRepo.update)
    delete = blocking(UsersRepo.delete)
    update_last_login = blocking(UsersRepo.update_last_login)
    search = blocking(UsersRepo.search)
    search_after = blocking(UsersRepo.search_after)

    _check_timeout_and_incr = blocking(UsersRepo._check_timeout_and_incr)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - the name is AuthX's
    is_bruteforce = blocking(UsersRepo.is_bruteforce)
    authenticate = blocking(UsersRepo.authenticate)

    is_email_confirmation_available = blocking(UsersRepo.is_email_confirmation_available)
    request_email_confirmation = blocking(UsersRepo.request_email_confirmation)
    confirm_email = blocking(UsersRepo.confirm_email)

    change_username = blocking(UsersRepo.change_username)

    get_password_status = blocking(UsersRepo.get_password_status)
    set_password = blocking(UsersRepo.set_password)
    is_password_reset_available = blocking(UsersRepo.is_password_reset_available)
    set_password_reset_token = blocking(UsersRepo.set_password_reset_token)
    get_id_for_password_reset = blocking(UsersRepo.get_id_for_password_reset)
    reset_password = blocking(UsersRepo.reset_password)

    link_social = blocking(UsersRepo.link_social)
    unlink_social = blocking(UsersRepo.unlink_social)

    get_blacklist = blocking(UsersRepo.get_blacklist)
    toggle_blacklist = blocking(UsersRepo.toggle_blacklist)
    blacklist = blocking(UsersRepo.blacklist)
    reinstate = blocking(UsersRepo.reinstate)
    kick = blocking(UsersRepo.kick)
    get_blackout = blocking(UsersRepo.get_blackout)
    set_blackout = blocking(UsersRepo.set_blackout)
    delete_blackout = blocking(UsersRepo.delete_blackout)
    set_permissions = blocking(UsersRepo.set_permissions)
    add_permissions = blocking(UsersRepo.add_permissions)
    remove_permissions = blocking(UsersRepo.remove_permissions)
