"""What a day needs besides users: a clock to move, a letter box, and a way to do things at the same moment."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import attrs

from authx_core import EmailConfirmationRequested, Event, PasswordResetRequested, User, run

if TYPE_CHECKING:
    from authx_adapters.clock import ManualClock
    from authx_core import UsersRepo
    from people import Person
    from report import Report

Job: TypeAlias = Callable[[], Coroutine[Any, Any, object]]
AtOnce: TypeAlias = Callable[[Sequence[Job]], Awaitable[list[object]]]
"""Does all jobs at the same moment, and returns for each its result or its exception."""
HOME: Final = "192.0.2.7"
"""Where an honest client is; all clients' addresses are from RFC 5737 and RFC 3849."""


async def as_tasks(jobs: Sequence[Job]) -> list[object]:
    """Do all jobs at once in this event loop."""
    return list(await asyncio.gather(*(job() for job in jobs), return_exceptions=True))


async def as_threads(jobs: Sequence[Job]) -> list[object]:
    """Do all jobs at once in threads. This never suspends, so it needs no event loop."""

    def outcome(job: Job) -> object:
        try:
            return run(job())
        except Exception as error:  # noqa: BLE001 - as `asyncio.gather` does
            return error

    with ThreadPoolExecutor(len(jobs)) as threads:
        return list(threads.map(outcome, jobs))


class LetterBox:
    """A callback that keeps every event, where an application would send mail."""

    def __init__(self) -> None:
        """Begin empty."""
        self.events: list[Event] = []

    def __call__(self, event: Event) -> None:
        """Receive an event."""
        self.events.append(event)

    def count(self, kind: type[Event]) -> int:
        """Return how many events of a kind have come."""
        return sum(isinstance(event, kind) for event in self.events)

    def token(self) -> str:
        """Return what the link in the last letter holds."""
        for event in reversed(self.events):
            if isinstance(event, EmailConfirmationRequested | PasswordResetRequested):
                return event.token.reveal()
        raise LookupError("no letter has come")


@attrs.frozen
class Stage:
    """Everything that the steps of a day share."""

    clock: ManualClock
    letters: LetterBox
    at_once: AtOnce
    report: Report
    people: Sequence[Person]
    admitted: dict[int, User] = attrs.field(factory=dict[int, User])

    def cast(self, role: Callable[[Person], object], count: int = 1, start: int = 0) -> list[Person]:
        """Return the people who fit a role, in the order of the file. Raises `LookupError` if they are too few."""
        found = [person for person in self.people if person.line in self.admitted and role(person)]
        if len(found) < start + count:
            raise LookupError("the file has too few people for this step")
        return found[start : start + count]

    def id(self, person: Person) -> str:
        """Return the id that a person got."""
        return self.admitted[person.line].id


def with_password(person: Person) -> bool:
    """Fit whoever has a password of today."""
    return person.new.password is not None


def with_scheme(scheme: str, person: Person) -> bool:
    """Fit whoever comes with a hash of this older scheme."""
    return person.scheme == scheme


def invited(person: Person) -> bool:
    """Fit whoever has an address and a username, and no password yet."""
    return bool(person.email and person.username and not person.password)


def typed(prefix: str = "typed") -> str:
    """Return a password that the policy takes and nobody has."""
    return f"{prefix} {secrets.token_hex(8)}"


def wide(text: str) -> str:
    """Return ASCII as full-width letters, as a Japanese keyboard may type them."""
    return "".join(chr(ord(char) + 0xFEE0) for char in text)


async def fresh(users: UsersRepo, user_id: str) -> User:
    """Return a user as stored now. Raises `LookupError` for one who is gone."""
    user = await users.get(user_id)
    if user is None:
        raise LookupError(user_id)
    return user


def ids(*users: User | None) -> list[str | None]:
    """Return whom one found."""
    return [user.id if user else None for user in users]


def winners(outcomes: list[object]) -> int:
    """Return how many calls returned a user."""
    return sum(isinstance(outcome, User) for outcome in outcomes)


def losers(outcomes: list[object]) -> set[str]:
    """Return what became of the others."""
    return {type(outcome).__name__ for outcome in outcomes if not isinstance(outcome, User)}
