"""Redis answers with an error: our message says what happened and what to do, and quotes no key."""

from __future__ import annotations

import traceback
from collections.abc import Awaitable, Iterator
from typing import Final

import pytest
from redis import Redis, RedisError

import servers
from authx_adapters.redis import RedisCache, RedisEvents
from authx_adapters.redis.errors import translated
from authx_core.domain import CacheUnavailable, InvalidValue, PortUnavailable
from authx_core.domain.events import BlackoutLifted
from engines.redis_clients import MINUTE, Make, connected, with_clients

KEY: Final = "a secret key"
SECRETS: Final = (KEY, "a secret value", "hunter2")
REFUSALS: Final[dict[str, tuple[list[str], str]]] = {
    "replica": (["REPLICAOF 127.0.0.1 1"], "is a replica and takes no writes: connect to the master"),
    "followers": (["CONFIG SET min-replicas-to-write 1"], "too few replicas follow the server"),
    "memory": (["CONFIG SET maxmemory 1"], "is out of memory: raise its maxmemory"),
    "keys": (["ACL SETUSER default resetkeys ~others:*"], "ACL forbids a command, a key or the channel"),
    "commands": (["ACL SETUSER default -set -mget -evalsha -eval -getdel"], "ACL forbids a command, a key"),
}
REPAIR: Final = (
    "REPLICAOF NO ONE",
    "CONFIG SET min-replicas-to-write 0",
    "CONFIG SET maxmemory 0",
    "ACL SETUSER default allkeys +@all",
)

both_clients = with_clients("blocking", "asynchronous")


@pytest.fixture(scope="module")
def server() -> Iterator[servers.Server]:
    with servers.private("redis") as server:
        assert isinstance(server, servers.Server)
        yield server


@both_clients
@pytest.mark.parametrize("refusal", REFUSALS)
async def test_the_error_says_what_to_do(make: Make, refusal: str, server: servers.Server) -> None:
    commands, sentence = REFUSALS[refusal]
    with Redis.from_url(server.url) as admin:
        try:
            for command in commands:
                admin.execute_command(*command.split())
            async with connected(make, server.url) as client:
                cache = RedisCache(client)
                for call in (cache.set(KEY, "a secret value", ttl=MINUTE), cache.increment(KEY, ttl=MINUTE)):
                    with pytest.raises(CacheUnavailable, match=sentence) as unavailable:
                        await call
                    assert unavailable.value.answered
                    shown = "".join(traceback.format_exception(unavailable.value))
                    assert not any(f"{secret}'" in shown or f"|{secret}" in shown for secret in SECRETS)
        finally:
            for command in REPAIR:
                admin.execute_command(*command.split())


@both_clients
@pytest.mark.parametrize("password", [None, "hunter3"])
async def test_the_error_for_a_wrong_password_says_to_check_the_credentials(
    make: Make, password: str | None, server: servers.Server
) -> None:
    with Redis.from_url(server.url) as admin:
        admin.execute_command("ACL", "SETUSER", "default", "resetpass", ">hunter2")
        try:
            async with connected(make, server.url, password=password) as client:
                with pytest.raises(CacheUnavailable, match="check the client's credentials") as unavailable:
                    await RedisCache(client).get(KEY)
            assert "hunter" not in str(unavailable.value)
        finally:
            admin.execute_command("ACL", "SETUSER", "default", "nopass")


@both_clients
async def test_the_error_for_a_forbidden_channel_says_so(make: Make, server: servers.Server) -> None:
    with Redis.from_url(server.url) as admin:
        admin.execute_command("ACL", "SETUSER", "default", "resetchannels")
        try:
            async with connected(make, server.url) as client:
                with pytest.raises(PortUnavailable, match="ACL forbids a command, a key or the channel"):
                    await RedisEvents(client).publish(BlackoutLifted())
        finally:
            admin.execute_command("ACL", "SETUSER", "default", "allchannels")


@both_clients
async def test_the_error_for_a_single_server_client_at_a_cluster_names_rediscluster(make: Make) -> None:
    async with connected(make, servers.url("redis-cluster")) as client:
        cache = RedisCache(client)
        keys = [f"key {number}" for number in range(20)]  # on all masters
        errors = [str(await error_of(cache.set(key, "value", ttl=MINUTE))) for key in keys]
    assert any("part of a cluster: connect with RedisCluster" in error for error in errors)


async def error_of(call: Awaitable[object]) -> CacheUnavailable | None:
    try:
        await call
    except CacheUnavailable as error:
        return error
    return None


@pytest.mark.parametrize(
    "reply", ["LOADING Redis is loading", "MISCONF Redis is configured", "CLUSTERDOWN Hash slot", "BUSY Redis is busy"]
)
def test_the_error_of_a_server_that_is_not_ready_says_why(reply: str) -> None:
    class Reply(RedisError):
        pass

    assert ": the " in str(translated(Reply(reply), CacheUnavailable))


def test_a_key_that_looks_like_an_error_is_not_mistaken_for_one() -> None:
    """A pipeline quotes the command in front of the server's message."""
    from redis.exceptions import NoPermissionError, ResponseError  # noqa: PLC0415 - beside their use

    quoting = "Command # 1 (EVALSHA digest 1 authx:|overflow) of pipeline caused error: "
    refused = translated(NoPermissionError(quoting + "no permissions"), CacheUnavailable)
    assert isinstance(refused, CacheUnavailable)
    assert "authx" not in str(refused.__cause__)
    misfit = translated(ResponseError(quoting + "ERR increment would overflow"), CacheUnavailable)
    assert isinstance(misfit, InvalidValue)
