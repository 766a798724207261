"""Taken keys that are found too late, reported in part, or not undone."""

from __future__ import annotations

from authx_core.domain import IdentifierTaken, User, UserChanges, UserFields, UserId
from zoo.machinery.registry import mutant
from zoo.machinery.small_users import Users


@mutant("U-020", "`create` reports only the first taken field")
class FirstTakenNamedInCreate(Users):
    def taken(self, user: User, taken: set[str]) -> set[str]:
        fields = super().taken(user, taken)
        return fields if user.version > 1 else set(sorted(fields)[:1])


@mutant("U-020", "a taken id replaces the user who has it")
class CreateReplaces(Users):
    def taken(self, user: User, taken: set[str]) -> set[str]:
        return super().taken(user, set())


@mutant("U-020", "a taken id hides the taken keys")
class TakenIdHidesOthers(Users):
    def taken(self, user: User, taken: set[str]) -> set[str]:
        return taken or super().taken(user, taken)


@mutant("U-020", "a refused `create` keeps the free keys that it claimed")
class LoserKeepsKeys(Users):
    def refuse(self, taken: set[str], user: User) -> None:
        if taken and user.version == 1:
            for key in self.keys(user):
                self.table.owners.setdefault(self.index(key), user.id)
        super().refuse(taken, user)


@mutant("U-033", "`update` reports only the first taken field")
class FirstTakenNamedInUpdate(Users):
    def taken(self, user: User, taken: set[str]) -> set[str]:
        fields = super().taken(user, taken)
        return fields if user.version == 1 else set(sorted(fields)[:1])


@mutant("U-033", "a refused update frees the user's present keys")
class RefusedFrees(Users):
    def refuse(self, taken: set[str], user: User) -> None:
        if taken and user.version > 1:
            self.free(self.table.users[user.id])
        super().refuse(taken, user)


@mutant("U-033", "a refused update claims the free identities")
class RefusedClaims(Users):
    def refuse(self, taken: set[str], user: User) -> None:
        if taken and user.version > 1:
            for each in user.identities:
                self.table.owners.setdefault(("identities", each.provider, each.subject), user.id)
        super().refuse(taken, user)


@mutant("U-033", "a user's own key counts as taken")
class OwnKeyIsTaken(Users):
    async def update(self, user_id: UserId, changes: UserChanges, /, *, expected: UserFields | None = None) -> User:
        key = changes.get("username_key")
        if key is not None and self.owner(("username", key)) is not None:
            self.check_update(changes, expected)
            raise IdentifierTaken({"username"})
        return await super().update(user_id, changes, expected=expected)
