"""Uniqueness that is found too late, told by halves, or not undone."""

from __future__ import annotations

from authx_core.domain import IdentifierTaken, User, UserChanges, UserFields, UserId
from zoo.machinery.registry import mutant
from zoo.machinery.small_users import Users


@mutant("U-020", "in `create`, the first taken field alone is named")
class FirstTakenNamedInCreate(Users):
    def taken(self, user: User, taken: set[str]) -> set[str]:
        fields = super().taken(user, taken)
        return fields if user.version > 1 else set(sorted(fields)[:1])


@mutant("U-020", "a taken id replaces the user who has it")
class CreateReplaces(Users):
    def taken(self, user: User, taken: set[str]) -> set[str]:
        return super().taken(user, set())


@mutant("U-020", "a taken id hides which keys are taken besides")
class TakenIdHidesOthers(Users):
    def taken(self, user: User, taken: set[str]) -> set[str]:
        return taken or super().taken(user, taken)


@mutant("U-020", "keys that were free are claimed before the taken ones are found")
class LoserKeepsKeys(Users):
    def refuse(self, taken: set[str], user: User) -> None:
        if taken and user.version == 1:
            for key in self.keys(user):
                self.table.owners.setdefault(self.index(key), user.id)
        super().refuse(taken, user)


@mutant("U-033", "in `update`, the first taken field alone is named")
class FirstTakenNamedInUpdate(Users):
    def taken(self, user: User, taken: set[str]) -> set[str]:
        fields = super().taken(user, taken)
        return fields if user.version == 1 else set(sorted(fields)[:1])


@mutant("U-033", "a refused update has freed the keys that there were")
class RefusedFrees(Users):
    def refuse(self, taken: set[str], user: User) -> None:
        if taken and user.version > 1:
            self.free(self.table.users[user.id])
        super().refuse(taken, user)


@mutant("U-033", "a refused update has claimed the identities that are free")
class RefusedClaims(Users):
    def refuse(self, taken: set[str], user: User) -> None:
        if taken and user.version > 1:
            for each in user.identities:
                self.table.owners.setdefault(("identities", each.provider, each.subject), user.id)
        super().refuse(taken, user)


@mutant("U-033", "one's own key counts as another's")
class OwnKeyIsTaken(Users):
    async def update(self, user_id: UserId, changes: UserChanges, /, *, expected: UserFields | None = None) -> User:
        key = changes.get("username_key")
        if key is not None and self.owner(("username", key)) is not None:
            self.check_update(changes, expected)
            raise IdentifierTaken({"username"})
        return await super().update(user_id, changes, expected=expected)
