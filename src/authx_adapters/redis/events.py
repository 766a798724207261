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
    """Publishes each event as JSON to the subscribers of this moment: users in their public form, without tokens.

    Pub/Sub keeps nothing, so a subscriber misses the events of the time when it is away. If the driver repeats a
    command, an event arrives twice (see `RedisCache`). In a cluster, subscribers at any node receive it.
    """

    def __init__(
        self, client: Client, *, channel: str = "authx:events", timeout: timedelta | float | None = None
    ) -> None:
        """Publish to ``channel`` within ``timeout`` (seconds or a timedelta). None leaves that to the client.

        Raises `InvalidValue` for an impossible channel or timeout.
        """
        if reason := reasons.why_not_text(channel, limits.MAX_CACHE_KEY):
            raise InvalidValue(Problem("channel", "invalid", reason))
        self._server = Server(client, PortUnavailable, timeout)
        self._channel = channel.encode()

    async def publish(self, event: Event, /) -> None:
        """Publish ``{"event": name, …}`` with the event's fields, instants in ISO 8601. Raises `PortUnavailable`."""
        data = json.dumps(event_to_data(event), ensure_ascii=False)
        # A lone surrogate, which a client may have sent as its address, becomes its JSON escape.
        await self._server.ask("PUBLISH", self._channel, data.encode(errors="backslashreplace"))
