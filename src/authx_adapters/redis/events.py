"""Events on a channel of Redis."""

from __future__ import annotations

import json
from datetime import timedelta

from authx_adapters.redis.server import Client, Server
from authx_core.domain import InvalidValue, PortUnavailable, Problem, limits, reasons
from authx_core.domain.events import Event
from authx_core.domain.wire import event_to_data
from authx_core.ports import Events


class RedisEvents(Events):
    """Publishes each event as JSON, users in their public form, without tokens, to who is subscribed at that moment.

    Pub/Sub keeps nothing: a subscriber that is away misses what is told meanwhile, and a driver that repeats a command
    may tell it twice (see `RedisCache`). In a cluster, subscribers at any node receive it.
    """

    def __init__(
        self, client: Client, *, channel: str = "authx:events", timeout: timedelta | float | None = None
    ) -> None:
        """Publish to ``channel`` within ``timeout``, a timedelta or seconds; None leaves that to the client.

        Raises `InvalidValue` for a channel that is no text and a timeout that is not positive.
        """
        if reason := reasons.why_not_text(channel, limits.MAX_CACHE_KEY):
            raise InvalidValue(Problem("channel", "invalid", reason))
        self._server = Server(client, PortUnavailable, timeout)
        self._channel = channel.encode()

    async def publish(self, event: Event, /) -> None:
        """Publish ``{"event": name, …}`` and its fields, instants in ISO 8601. Raises `PortUnavailable`."""
        data = json.dumps(event_to_data(event), ensure_ascii=False)
        # A lone surrogate, which a client may have sent as its address, becomes the JSON escape that stands for it.
        await self._server.ask("PUBLISH", self._channel, data.encode(errors="backslashreplace"))
