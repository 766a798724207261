"""Password hashes that leak."""

from __future__ import annotations

import logging

from authx_core.domain import IdentifierTaken, Secret, User, UserChanges, UserFields, UserId
from zoo.machinery.registry import mutant
from zoo.machinery.small_users import Users


@mutant("U-006", "the error of a taken key contains the password hash")
class HashInError(Users):
    def refuse(self, taken: set[str], user: User) -> None:
        if taken:
            raise IdentifierTaken(taken) from KeyError(
                f"duplicate key: {user.password_hash and user.password_hash.reveal()}"
            )


@mutant("U-006", "the `repr` of the store shows its rows")
class ReprShowsRows(Users):
    def __repr__(self) -> str:
        return f"Users({[user.password_hash.reveal() for user in self.table.users.values() if user.password_hash]})"


@mutant("U-006", "each statement is logged with its parameters")
class LogsStatements(Users):
    async def insert(self, user: User) -> None:
        hashed = user.password_hash and user.password_hash.reveal()
        logging.getLogger("engine").error("INSERT INTO users (password_hash) VALUES ('%s')", hashed)
        await super().insert(user)


@mutant("U-006", "a note on the error of an update shows the changes")
class ChangesInContext(Users):
    async def update(self, user_id: UserId, changes: UserChanges, /, *, expected: UserFields | None = None) -> User:
        try:
            return await super().update(user_id, changes, expected=expected)
        except IdentifierTaken as error:
            parameters = [value.reveal() if isinstance(value, Secret) else value for value in changes.values()]
            error.add_note(f"parameters: {parameters}")
            raise
