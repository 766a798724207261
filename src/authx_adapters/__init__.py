"""What answers the ports of `authx_core`, each behind an extra of its own."""

from authx_adapters.connecting import connect, connect_blocking, open_users, open_users_blocking

__all__ = ["connect", "connect_blocking", "open_users", "open_users_blocking"]
