"""A correct user store on Redis: one script, under one hash tag, replaces a document and its keys."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import Any, Final

import attrs
from redis.exceptions import RedisError

from authx_contract import Capabilities, SteppedClock
from authx_core.domain import (
    IdentifierTaken,
    StaleUser,
    StoreUnavailable,
    User,
    UserChanges,
    UserFields,
    UserId,
    UserNotFound,
    UserQuery,
    changed,
    checks,
)
from authx_core.ports import UserStore
from zoo.machinery.lent import OnRedis
from zoo.machinery.records import dump, finds, fits, keys, load
from zoo.machinery.registry import correct

BATCH: Final = 500
EXCHANGE: Final = """
local id, before, after, freed = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
if (redis.call('HGET', KEYS[1], id) or '') ~= before then return 0 end
local taken = {}
for i = 5 + freed, #ARGV do
    local owner = redis.call('HGET', KEYS[2], ARGV[i])
    if owner and owner ~= id then taken[#taken + 1] = ARGV[i] end
end
if #taken > 0 then return taken end
for i = 5, 4 + freed do redis.call('HDEL', KEYS[2], ARGV[i]) end
for i = 5 + freed, #ARGV do redis.call('HSET', KEYS[2], ARGV[i], id) end
if after == '' then
    redis.call('HDEL', KEYS[1], id)
    redis.call('ZREM', KEYS[3], id)
else
    redis.call('HSET', KEYS[1], id, after)
    redis.call('ZADD', KEYS[3], 0, id)
end
return 1
"""
DONE: Final = 1
OWNED: Final = """
local owner = redis.call('HGET', KEYS[2], ARGV[1])
return owner and redis.call('HGET', KEYS[1], owner)
"""
LATER: Final = """
local cutoff = redis.call('GET', KEYS[1])
if cutoff and cutoff >= ARGV[1] then return cutoff end
redis.call('SET', KEYS[1], ARGV[1])
return ARGV[1]
"""


class RedisUsers(UserStore):
    """Documents by id, owners by key, and the ids in order, which a sorted set of equal scores keeps by bytes."""

    def __init__(self, client: Any, prefix: str) -> None:
        self._client, self._loop = client, asyncio.get_running_loop()
        self._names = [f"{{{prefix}}}{name}" for name in ("users", "owners", "ids", "blackout")]
        self._users, self._owners, self._ids, self._blackout = self._names

    async def create(self, user: User, /) -> User:
        checks.check_user(user)
        document = dump(attrs.evolve(user, version=1))
        new = load(document)
        with self._reached():
            while True:
                if await self._exchange(new.id, "", document, claimed=self._fields(new)) == DONE:
                    return new
                taken = await self._taken(new)
                if await self._client.hexists(self._users, new.id):
                    taken.add("id")
                if taken:
                    raise IdentifierTaken.of(taken)

    async def get(self, user_id: UserId, /) -> User | None:
        with self._reached():
            document = await self._client.hget(self._users, user_id) if checks.is_text(user_id) else None
        return None if document is None else load(document)

    async def get_by_email(self, email_key: str, /) -> User | None:
        return await self._owner("email", "", email_key)

    async def get_by_username(self, username_key: str, /) -> User | None:
        return await self._owner("username", "", username_key)

    async def get_by_social(self, provider: str, subject: str, /) -> User | None:
        return await self._owner("identities", provider, subject)

    async def update(self, user_id: UserId, changes: UserChanges, /, *, expected: UserFields | None = None) -> User:
        checks.check_update(changes, expected)
        with self._reached():
            while True:
                before = await self._client.hget(self._users, user_id) if checks.is_text(user_id) else None
                if before is None:
                    raise UserNotFound(user_id)
                user = load(before)
                if not fits(user, expected):
                    raise StaleUser(user_id)
                document = dump(changed(user, changes))
                after = load(document)
                result = await self._exchange(
                    user_id, before, document, freed=self._fields(user), claimed=self._fields(after)
                )
                if result == DONE:
                    return after
                if isinstance(result, list):  # else another writer was faster: retry
                    raise IdentifierTaken.of(json.loads(field)[0] for field in result)

    async def delete(self, user_id: UserId, /) -> bool:
        with self._reached():
            while True:
                before = await self._client.hget(self._users, user_id) if checks.is_text(user_id) else None
                if before is None:
                    return False
                if await self._exchange(user_id, before, "", freed=self._fields(load(before))) == DONE:
                    return True

    async def search(
        self, query: UserQuery, /, *, limit: int, after: UserId | None = None, offset: int = 0
    ) -> list[User]:
        checks.check_query(query)
        checks.check_page(limit, after, offset)
        page = list[User]()
        async for user in self._found(query, after):
            if offset > 0:
                offset -= 1
                continue
            page.append(user)
            if len(page) == limit:
                break
        return page

    async def count(self, query: UserQuery, /) -> int:
        checks.check_query(query)
        return len([user async for user in self._found(query)])

    async def get_blackout(self) -> datetime | None:
        with self._reached():
            cutoff = await self._client.get(self._blackout)
        return None if cutoff is None else datetime.fromisoformat(cutoff)

    async def set_blackout(self, cutoff: datetime | None, /) -> datetime | None:
        checks.check_blackout(cutoff)
        with self._reached():
            if cutoff is None:
                await self._client.delete(self._blackout)
                return None
            # UTC text of a fixed length sorts as the instants do
            utc = cutoff.astimezone(timezone.utc).isoformat(timespec="microseconds")
            standing = await self._client.eval(LATER, 1, self._blackout, utc)
        return datetime.fromisoformat(standing)

    async def _exchange(
        self, user_id: UserId, before: str, after: str, *, freed: Iterable[str] = (), claimed: Iterable[str] = ()
    ) -> int | list[str]:
        """Return `DONE`, 0 if the document has changed meanwhile, or the fields that are taken."""
        freed = list(freed)
        arguments = [user_id, before, after, len(freed), *freed, *claimed]
        result: int | list[str] = await self._client.eval(EXCHANGE, 3, *self._names[:3], *arguments)
        return result

    async def _taken(self, user: User) -> set[str]:
        mine = sorted(keys(user))
        there = await self._client.hmget(self._owners, self._fields(user)) if mine else []
        return {key[0] for key, owner in zip(mine, there, strict=True) if owner is not None}

    @contextmanager
    def _reached(self) -> Iterator[None]:
        """Turn the client's errors into the port's, and refuse another loop before it breaks a connection."""
        if asyncio.get_running_loop() is not self._loop:
            raise StoreUnavailable("the client belongs to another event loop")
        try:
            yield
        except (RedisError, OSError) as error:
            raise StoreUnavailable(type(error).__name__) from error

    def _field(self, key: tuple[str, ...]) -> str:
        return json.dumps(key)

    def _fields(self, user: User) -> list[str]:
        """Return the user's keys as fields of the hash of owners."""
        return [self._field(key) for key in sorted(keys(user))]

    async def _owner(self, *key: str) -> User | None:
        if not all(checks.is_text(part) for part in key):
            return None
        with self._reached():
            document = await self._client.eval(OWNED, 2, self._users, self._owners, self._field(key))
        return None if document is None else load(document)

    async def _found(self, query: UserQuery, after: UserId | None = None) -> AsyncIterator[User]:
        while True:
            low = "-" if after is None else f"({after}"
            with self._reached():
                ids = await self._client.zrangebylex(self._ids, low, "+", 0, BATCH)
                documents = await self._client.hmget(self._users, ids) if ids else []
            for document in documents:
                if document is not None and finds(query, user := load(document)):
                    yield user
            if len(ids) < BATCH:
                return
            after = ids[-1]


@correct("users in Redis, replaced by one script under one hash tag", needs="redis")
class ScriptedUsers(OnRedis):
    capabilities = Capabilities(namespaced=True)

    async def open_users(self, _: SteppedClock, /) -> UserStore:
        return RedisUsers(self.client(decode_responses=True), self.prefix)
