"""Users that come back changed, shared or half refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any, cast
from uuid import UUID

import attrs

from authx_core.domain import InvalidValue, User, UserChanges, UserFields, UserId, checks
from contract.mutants.registry import mutant
from contract.mutants.users import Key, Users


@mutant("U-001", "instants come back without a zone")
class NaiveInstants(Users):
    def given(self, user: User) -> User:
        return attrs.evolve(super().given(user), created_at=user.created_at.replace(tzinfo=None))


@mutant("U-001", "instants are kept to the millisecond, as BSON does")
class MillisecondInstants(Users):
    def kept(self, user: User) -> User:
        created = user.created_at
        return super().kept(
            attrs.evolve(user, created_at=created.replace(microsecond=created.microsecond // 1000 * 1000))
        )


@mutant("U-001", "the last login is kept to the millisecond")
class MillisecondLogins(Users):
    def kept(self, user: User) -> User:
        login = user.last_login
        rounded = login and login.replace(microsecond=login.microsecond // 1000 * 1000)
        return super().kept(attrs.evolve(user, last_login=rounded))


@mutant("U-001", "the wall time of another zone is stored as UTC")
class WallTime(Users):
    def kept(self, user: User) -> User:
        return super().kept(attrs.evolve(user, created_at=user.created_at.replace(tzinfo=timezone.utc)))


@mutant("U-001", "instants keep the offset with which they came")
class OffsetKept(Users):
    def kept(self, user: User) -> User:
        return attrs.evolve(super().kept(user), created_at=user.created_at)


@mutant("U-001", "the version is the caller's")
class VersionGiven(Users):
    def new(self, user: User) -> User:
        return self.kept(user)


@mutant("U-001", "`create` returns what it was given")
class CreateEchoes(Users):
    async def create(self, user: User, /) -> User:
        await super().create(user)
        return user


@mutant("U-001", "a new user is always active")
class AlwaysActiveAtFirst(Users):
    def new(self, user: User) -> User:
        return super().new(attrs.evolve(user, active=True))


@mutant("U-001", "a new user's epoch is 1")
class EpochForgotten(Users):
    def new(self, user: User) -> User:
        return super().new(attrs.evolve(user, epoch=1))


@mutant("U-001", "the address as it was written is lower-cased")
class WrittenAddressFolded(Users):
    def kept(self, user: User) -> User:
        return super().kept(attrs.evolve(user, email=user.email and user.email.lower()))


@mutant("U-001", "identities come back as they happen to be sorted")
class IdentitiesReordered(Users):
    def given(self, user: User) -> User:
        return attrs.evolve(super().given(user), identities=user.identities[::-1])


@mutant("U-001", "permissions come back as a list")
class PermissionList(Users):
    def given(self, user: User) -> User:
        return attrs.evolve(super().given(user), permissions=cast("frozenset[str]", list(user.permissions)))


@mutant("U-001", "flags come back as 0 and 1")
class FlagsAsNumbers(Users):
    def given(self, user: User) -> User:
        return attrs.evolve(super().given(user), active=cast("bool", int(user.active)))


@mutant("U-002", "who has no address has an empty one")
class EmptyAddress(Users):
    def kept(self, user: User) -> User:
        return super().kept(attrs.evolve(user, email=user.email or ""))


@mutant("U-002", "who has no password has an empty hash")
class EmptyHash(Users):
    def kept(self, user: User) -> User:
        return super().kept(attrs.evolve(user, password_hash=user.password_hash or ""))


@mutant("U-002", "only one user may lack a username, as in an index where nulls are equal")
class OneWithoutUsername(Users):
    def keys(self, user: User) -> list[Key]:
        return [*super().keys(user), *([("username", "\0")] if user.username_key is None else [])]


@mutant("U-002", "who never logged in did so when they registered")
class NeverLoggedIn(Users):
    def new(self, user: User) -> User:
        return super().new(attrs.evolve(user, last_login=user.last_login or user.created_at))


@mutant("U-003", "an id that is no UUID raises ValueError")
class IdIsParsed(Users):
    async def get(self, user_id: UserId, /) -> User | None:
        return await super().get(str(UUID(user_id)))


@mutant("U-003", "ids are looked up by LIKE")
class IdByLike(Users):
    def find(self, user_id: UserId) -> User | None:
        found = super().find(user_id)
        return next(iter(self.ordered()), None) if user_id == "%" else found


@mutant("U-003", "the beginning of an id is enough")
class IdByPrefix(Users):
    async def get(self, user_id: UserId, /) -> User | None:
        there = (user for user in self.ordered() if checks.is_text(user_id) and user.id.startswith(user_id))
        return self.found(next(there, None))


@mutant("U-003", "NUL in a key reaches the driver, which raises")
class NulReachesDriver(Users):
    def owner(self, key: Key) -> User | None:
        if any(isinstance(part, str) and "\0" in part for part in key):
            raise ValueError("A string literal cannot contain NUL (0x00) characters.")
        return super().owner(key)


@mutant("U-003", "an unknown id to delete is an error")
class DeleteParses(Users):
    async def delete(self, user_id: UserId, /) -> bool:
        return await super().delete(str(UUID(user_id)))


@mutant("U-004", "`create` checks nothing")
class CreateUnchecked(Users):
    def check_user(self, user: User) -> None:
        pass


@mutant("U-004", "`update` checks nothing")
class UpdateUnchecked(Users):
    def check_update(self, changes: UserChanges, expected: UserFields | None) -> None:
        checks.check_update({}, expected)


@mutant("U-004", "naive datetimes are taken for local time")
class NaiveTaken(Users):
    def check_user(self, user: User) -> None:
        aware = isinstance(user, User) and isinstance(user.created_at, datetime)
        checks.check_user(attrs.evolve(user, created_at=user.created_at.astimezone()) if aware else user)


@mutant("U-004", "flags are coerced")
class FlagsCoerced(Users):
    def check_update(self, changes: UserChanges, expected: UserFields | None) -> None:
        flags = cast("UserChanges", {name: bool(changes[name]) for name in ("active", "confirmed") if name in changes})
        checks.check_update(changes | flags, expected)


@mutant("U-004", "a wrong user is stored before it is refused")
class RefusedAfter(Users):
    def check_user(self, user: User) -> None:
        try:
            checks.check_user(user)
        except InvalidValue:
            if isinstance(user, User) and user.active is None:
                self.table.users[user.id] = user
            raise


@mutant("U-004", "the first problem stops the check, and no column is checked by its type")
class OnlyTextChecked(Users):
    def check_user(self, user: User) -> None:
        epoch = user.epoch if isinstance(user, User) and not isinstance(user.epoch, bool) else 1
        checks.check_user(attrs.evolve(user, epoch=epoch) if isinstance(user, User) else user)


@mutant("U-004", "a naive cut-off is taken")
class NaiveCutoff(Users):
    async def set_blackout(self, cutoff: datetime | None, /) -> None:
        await super().set_blackout(cutoff and cutoff.astimezone(timezone.utc))


@mutant("U-004", "an update may set the version")
class VersionSettable(Users):
    def check_update(self, changes: UserChanges, expected: UserFields | None) -> None:
        rest = {name: value for name, value in changes.items() if name != "version"}
        checks.check_update(cast("UserChanges", rest), expected)


@mutant("U-005", "the caller's own mapping is kept")
class ArgumentKept(Users):
    def kept(self, user: User) -> User:
        return attrs.evolve(super().kept(user), extra=user.extra)


@mutant("U-005", "what is stored is handed out")
class StoredHandedOut(Users):
    def given(self, user: User) -> User:
        return user


@mutant("U-005", "copies are shallow")
class ShallowCopies(Users):
    def given(self, user: User) -> User:
        return attrs.evolve(user, extra=dict(user.extra))


@mutant("U-005", "lookups by key hand out what is stored")
class LookupHandsOut(Users):
    async def get_by_username(self, username_key: str, /) -> User | None:
        return self.owner(("username", username_key))


@mutant("U-070", "names are cut at 191 characters")
class NamesCut(Users):
    def kept(self, user: User) -> User:
        return super().kept(attrs.evolve(user, username=user.username and user.username[:191]))


@mutant("U-070", "addresses are cut at 128 characters")
class AddressesCut(Users):
    def kept(self, user: User) -> User:
        return super().kept(attrs.evolve(user, email=user.email and user.email[:128]))


@mutant("U-070", "64 identities are kept, the rest is dropped")
class IdentitiesDropped(Users):
    def kept(self, user: User) -> User:
        return super().kept(attrs.evolve(user, identities=user.identities[:64]))


@mutant("U-070", "a hash is cut at 255 characters")
class HashCut(Users):
    def kept(self, user: User) -> User:
        return super().kept(attrs.evolve(user, password_hash=user.password_hash and user.password_hash[:255]))


@mutant("U-070", "epochs are kept in 32 bits")
class Epoch32(Users):
    def kept(self, user: User) -> User:
        return super().kept(attrs.evolve(user, epoch=user.epoch & 0x7FFF_FFFF or 1))


@mutant("U-071", "integers pass through doubles")
class Doubles(Users):
    def kept(self, user: User) -> User:
        return _with_extra(
            super().kept(user), json.loads(json.dumps(dict(user.extra)), parse_int=lambda n: int(float(n)))
        )


@mutant("U-071", "keys with dots become nested documents")
class DotsNest(Users):
    def kept(self, user: User) -> User:
        nested = {
            key.split(".")[0]: {key.split(".")[1]: value} if "." in key else value for key, value in user.extra.items()
        }
        return _with_extra(super().kept(user), nested)


@mutant("U-071", "keys that begin with a dollar are dropped")
class DollarsDropped(Users):
    def kept(self, user: User) -> User:
        return _with_extra(
            super().kept(user), {key: each for key, each in user.extra.items() if not key.startswith("$")}
        )


@mutant("U-071", "whole numbers lose their fraction: 1.0 comes back as 1")
class WholeFloats(Users):
    def kept(self, user: User) -> User:
        text = json.dumps(dict(user.extra))
        return _with_extra(
            super().kept(user), json.loads(text, parse_float=lambda n: int(float(n)) if float(n) == 1 else float(n))
        )


@mutant("U-071", "empty mappings come back as empty lists, as from PHP and Lua")
class EmptyLists(Users):
    def kept(self, user: User) -> User:
        return _with_extra(
            super().kept(user), json.loads(json.dumps(dict(user.extra)), object_hook=lambda map_: map_ or []) or {}
        )


@mutant("U-071", "booleans within lists come back as numbers")
class BooleansAsNumbers(Users):
    def kept(self, user: User) -> User:
        return _with_extra(super().kept(user), {key: _numbers(value) for key, value in user.extra.items()})


@mutant("U-071", "an update merges extra instead of replacing it")
class ExtraMerged(Users):
    def changed(self, user: User, changes: UserChanges) -> User:
        merged = {**user.extra, **changes.get("extra", {})}
        return super().changed(user, {**changes, "extra": merged})


def _with_extra(user: User, extra: Mapping[str, Any]) -> User:
    return attrs.evolve(user, extra=extra)


def _numbers(value: Any) -> Any:
    return [int(each) if isinstance(each, bool) else each for each in value] if isinstance(value, list) else value
