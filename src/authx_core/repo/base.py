"""What the mixins share: the ports, and publishing events."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from inspect import isawaitable
from typing import Final, NoReturn, TypeAlias, cast

from authx_core.domain.errors import InvalidPolicy, InvalidValue, StoreUnavailable
from authx_core.domain.events import Event
from authx_core.domain.ids import uuid7_text
from authx_core.domain.lifetimes import lifetime
from authx_core.domain.policy import Policy
from authx_core.ports import Cache, Clock, Events, PasswordHasher, UserStore
from authx_core.repo.hooks import Hooks
from authx_core.repo.waiting import at_most
from authx_core.use_cases.crud import NewId
from authx_core.use_cases.cutoffs import PublishedCutoffs

Callback: TypeAlias = Callable[[Event], Awaitable[None] | None] | Events
"""Receives each event: a plain or ``async`` callable, or an `Events` adapter."""

ACCESS_EXPIRATION: Final = timedelta(hours=6)
"""How long an access token is valid by default."""
_log: Final = logging.getLogger("authx_core")


class _Closed:
    """Stands for a port of a closed facade: every call raises `StoreUnavailable`."""

    def __getattr__(self, name: str) -> NoReturn:
        raise StoreUnavailable("this facade is closed: open another one")


class UsersBase(Hooks):
    """The ports of a `UsersRepo`. Through `publish` it is the `Events` port of its own use cases."""

    def __init__(
        self,
        database: UserStore,
        cache: Cache,
        callbacks: Iterable[Callback] = (),
        access_expiration: float | timedelta = ACCESS_EXPIRATION,
        *,
        clock: Clock,
        hasher: PasswordHasher,
        policy: Policy | None = None,
        new_id: NewId = uuid7_text,
    ) -> None:
        """Bind the ports.

        ``access_expiration`` (seconds or a timedelta) is how long an access token is valid. ``callbacks`` receive
        every event after its change is stored. One that raises, or takes longer than ``policy.callback_timeout``, is
        logged and breaks neither the operation nor the others. A plain function runs in the caller's thread, where
        nothing can interrupt it. Raises `InvalidPolicy`.
        """
        try:
            self.access_expiration = lifetime(access_expiration, "access_expiration")
        except InvalidValue as error:
            raise InvalidPolicy(*error.problems) from None
        self.database = database
        self.cache = cache
        self.callbacks = tuple(callbacks)
        self.clock = clock
        self.hasher = hasher
        self.policy = policy or Policy()
        self.new_id = new_id
        self.published = PublishedCutoffs()
        self.closing: Callable[[], Awaitable[None]] | None = None
        """Closes what was opened for this facade alone; see `aclose`."""

    async def aclose(self) -> None:
        """Close what `authx_adapters.open_users` opened for this facade; a second time does nothing.

        Every later operation is `StoreUnavailable`. Ports that an application made itself are its own to close.
        """
        closing, self.closing = self.closing, None
        if closing is not None:
            self.database, self.cache = cast("UserStore", _Closed()), cast("Cache", _Closed())
            await closing()

    async def publish(self, event: Event, /) -> None:
        """Call the hook ``on_<event>`` and every callback. An error of one is logged and stops no other."""
        for receive in (getattr(self, f"on_{event.name}", None), *self.callbacks):
            if receive is None:
                continue
            try:
                received = receive.publish(event) if isinstance(receive, Events) else receive(event)
                if isawaitable(received):
                    async with at_most(self.policy.callback_timeout):
                        await received
            except Exception:  # noqa: BLE001 - logged with its traceback; it must not undo what is stored
                _log.exception("%r failed to receive %s; the change itself is stored", receive, event.name)
