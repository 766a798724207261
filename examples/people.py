"""Read the people of people.csv, and create their users."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Final

import attrs

from authx_core import IdentifierTaken, InvalidInput, NewUser, SocialIdentity, User, UsersRepo

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

COLUMNS: Final = (
    "name",
    "language",
    "email",
    "username",
    "password",
    "password_hash",
    "social_provider",
    "social_subject",
    "confirmed",
    "permissions",
)
FILE: Final = Path(__file__).with_name("people.csv")
BUNDLED: Final[Mapping[int, frozenset[str]]] = {
    101: frozenset({"email"}),  # not an address
    212: frozenset({"username"}),  # contains an @
    303: frozenset({"username"}),  # reserved, in full-width letters
    404: frozenset({"password"}),  # too short
    515: frozenset({"email"}),  # taken, in capitals and decomposed
    606: frozenset({"username"}),  # taken, in capitals
    707: frozenset({"identities"}),  # a provider without a subject
    808: frozenset({"permissions"}),  # an empty permission
    909: frozenset({""}),  # no address, username or identity
    998: frozenset({"email", "username", "password", "password_hash", "permissions"}),  # every field
}
"""The wrong lines of people.csv with their wrong fields; an empty field stands for the whole row."""


def old_password(email: str) -> str:
    """Return the password behind a bcrypt or Django hash of the older system."""
    return f"{email.partition('@')[0]} since 2012"


@attrs.frozen
class Person:
    """One line of the file."""

    line: int
    new: NewUser

    @property
    def email(self) -> str:
        """The address, if there is one."""
        return self.new.email or ""

    @property
    def username(self) -> str:
        """The username, if there is one."""
        return self.new.username or ""

    @property
    def password(self) -> str:
        """The password, from the file or from the older system; empty if there is none."""
        if self.new.password_hash:
            return old_password(self.email)
        return self.new.password.reveal() if self.new.password else ""

    @property
    def scheme(self) -> str:
        """The scheme of the old hash, if there is one."""
        old = self.new.password_hash.reveal() if self.new.password_hash else ""
        return "bcrypt" if old.startswith("$2") else "django" if old.startswith("pbkdf2_sha256$") else ""


@attrs.frozen
class Refusal:
    """A field of a line that was refused, and why."""

    line: int
    field: str
    reason: str


def read(file: Path) -> list[Person]:
    """Return the people in the file. Raises `ValueError` if it has other columns."""
    with file.open(encoding="utf-8-sig", newline="") as lines:
        rows = csv.DictReader(lines, restval="", strict=True)
        if rows.fieldnames is None or set(rows.fieldnames) != set(COLUMNS):
            message = f"{file} has other columns: it must have {', '.join(COLUMNS)}"
            raise ValueError(message)
        return [Person(rows.line_num, _new_user(row)) for row in rows]


def _new_user(row: Mapping[str, str]) -> NewUser:
    """Return the fields of a row unchecked: the core checks them."""
    provider, subject = row["social_provider"], row["social_subject"]
    return NewUser(
        email=row["email"] or None,
        username=row["username"] or None,
        password=row["password"] or None,
        password_hash=row["password_hash"] or None,
        identities=(SocialIdentity(provider, subject),) if provider or subject else (),
        confirmed=row["confirmed"] == "yes",
        permissions=frozenset(row["permissions"].split(";")) if row["permissions"] else frozenset(),
        extra={"name": row["name"], "language": row["language"]},
    )


async def create_users(users: UsersRepo, people: Iterable[Person]) -> tuple[dict[int, User], list[Refusal]]:
    """Create the users; return those created, by line, and the refusals of the others."""
    admitted: dict[int, User] = {}
    refusals: list[Refusal] = []
    for person in people:
        try:
            admitted[person.line] = await users.create(person.new)
        except InvalidInput as error:
            refusals += (Refusal(person.line, problem.field, problem.message) for problem in error.problems)
        except IdentifierTaken as error:
            refusals += (Refusal(person.line, field, "is another user's") for field in sorted(error.fields))
    return admitted, refusals
