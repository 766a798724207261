"""Keys that are folded, joined or cut before they are compared."""

from __future__ import annotations

import unicodedata

from authx_core.domain import User, UserId
from zoo.machinery.registry import mutant
from zoo.machinery.small_users import Key, Users


@mutant("U-010", "a lookup that finds nobody is repeated in lower case")
class LowerCaseTriedToo(Users):
    def owner(self, key: Key) -> User | None:
        return super().owner(key) or super().owner((*key[:-1], key[-1].lower() if isinstance(key[-1], str) else ""))


@mutant("U-010", "a lookup that finds nobody is repeated without accents")
class AccentsDroppedWhenRead(Users):
    def owner(self, key: Key) -> User | None:
        if (user := super().owner(key)) is not None or not isinstance(key[-1], str) or key[0] == "identities":
            return user
        plain = _bare(key[-1])
        return next((user for user in self.ordered() if (key[0], plain) in map(_plain, self.keys(user))), None)


def _plain(key: Key) -> Key:
    return key[0], _bare(key[-1])


@mutant("U-011", "full-width letters of a subject are read as ordinary ones")
class SubjectWidthFolded(Users):
    def index(self, key: Key) -> Key:
        return (*key[:-1], key[-1].replace("ａ", "a")) if key[0] == "identities" else key


@mutant("U-012", "provider and subject are joined by a colon")
class JoinedByColon(Users):
    def index(self, key: Key) -> Key:
        return key if key[0] != "identities" else (key[0], ":".join(key[1:]))


@mutant("U-012", "provider and subject are joined by nothing")
class JoinedByNothing(Users):
    def index(self, key: Key) -> Key:
        return key if key[0] != "identities" else (key[0], "".join(key[1:]))


@mutant("U-012", "the provider is compared without regard to case")
class ProviderFolded(Users):
    def index(self, key: Key) -> Key:
        return key if key[0] != "identities" else (key[0], key[1].lower(), key[2])


@mutant("U-012", "subjects that are numbers are compared as numbers")
class NumericSubjects(Users):
    def index(self, key: Key) -> Key:
        return (*key[:-1], str(int(key[-1]))) if key[0] == "identities" and key[-1].isdecimal() else key


@mutant("U-012", "provider and subject are compared as a set")
class UnorderedIdentity(Users):
    def index(self, key: Key) -> Key:
        return key if key[0] != "identities" else (key[0], *sorted(key[1:]))


@mutant("U-013", "a username that nobody has is looked up as an address")
class UsernameOrAddress(Users):
    async def get_by_username(self, username_key: str, /) -> User | None:
        return await super().get_by_username(username_key) or await self.get_by_email(username_key)


@mutant("U-013", "`get` takes a username as well")
class GetByAnything(Users):
    def find(self, user_id: UserId) -> User | None:
        return super().find(user_id) or self.owner(("username", user_id))


@mutant("U-070", "the index holds the first 191 characters of a key")
class PrefixIndex(Users):
    def index(self, key: Key) -> Key:
        return (*key[:-1], key[-1][:191])


def _bare(text: str) -> str:
    return "".join(each for each in unicodedata.normalize("NFD", text) if not unicodedata.combining(each))
