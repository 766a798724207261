"""Users that come back cut, and extra that comes back changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import attrs

from authx_core.domain import User, UserChanges
from zoo.machinery.registry import mutant
from zoo.machinery.small_users import Users


@mutant("U-070", "names are cut at 191 characters")
class NamesCut(Users):
    def kept(self, user: User) -> User:
        return super().kept(attrs.evolve(user, username=user.username and user.username[:191]))


@mutant("U-070", "addresses are cut at 128 characters")
class AddressesCut(Users):
    def kept(self, user: User) -> User:
        return super().kept(attrs.evolve(user, email=user.email and user.email[:128]))


@mutant("U-070", "only the first 64 identities are kept")
class IdentitiesDropped(Users):
    def kept(self, user: User) -> User:
        return super().kept(attrs.evolve(user, identities=user.identities[:64]))


@mutant("U-070", "a hash is cut at 255 characters")
class HashCut(Users):
    def kept(self, user: User) -> User:
        return super().kept(attrs.evolve(user, password_hash=user.password_hash and user.password_hash.reveal()[:255]))


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


@mutant("U-071", "whole floats come back as integers: 1.0 as 1")
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
