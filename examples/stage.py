"""The shared state of the steps: a manual clock, a letter box, and a way to run calls at once."""

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
"""Runs all jobs at once, and returns the result or the exception of each."""
HOME: Final = "192.0.2.7"
"""The address of an honest client; all addresses of clients are from RFC 5737 and RFC 3849."""


async def as_tasks(jobs: Sequence[Job]) -> list[object]:
    """Run all jobs at once in this event loop."""
    return list(await asyncio.gather(*(job() for job in jobs), return_exceptions=True))


async def as_threads(jobs: Sequence[Job]) -> list[object]:
    """Run all jobs at once in threads. This never suspends, so it needs no event loop."""

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
        """Start empty."""
        self.events: list[Event] = []

    def __call__(self, event: Event) -> None:
        """Receive an event."""
        self.events.append(event)

    def count(self, kind: type[Event]) -> int:
        """Return how many events of a kind were received."""
        return sum(isinstance(event, kind) for event in self.events)

    def token(self) -> str:
        """Return the token of the link in the last letter."""
        for event in reversed(self.events):
            if isinstance(event, EmailConfirmationRequested | PasswordResetRequested):
                return event.token.reveal()
        raise LookupError("no letter was sent")


@attrs.frozen
class Stage:
    """The state that the steps of a day share."""

    clock: ManualClock
    letters: LetterBox
    at_once: AtOnce
    report: Report
    people: Sequence[Person]
    admitted: dict[int, User] = attrs.field(factory=dict[int, User])

    def cast(self, role: Callable[[Person], object], count: int = 1, start: int = 0) -> list[Person]:
        """Return people who fit a role, in the order of the file. Raises `LookupError` if there are too few."""
        found = [person for person in self.people if person.line in self.admitted and role(person)]
        if len(found) < start + count:
            raise LookupError("the file has too few people for this step")
        return found[start : start + count]

    def id(self, person: Person) -> str:
        """Return the id of a person's user."""
        return self.admitted[person.line].id


def with_password(person: Person) -> bool:
    """Return whether a person has a password in the file."""
    return person.new.password is not None


def with_scheme(scheme: str, person: Person) -> bool:
    """Return whether a person has a hash of an older scheme."""
    return person.scheme == scheme


def invited(person: Person) -> bool:
    """Return whether a person has an address and a username but no password."""
    return bool(person.email and person.username and not person.password)


def typed(prefix: str = "typed") -> str:
    """Return a valid password that no user has."""
    return f"{prefix} {secrets.token_hex(8)}"


def wide(text: str) -> str:
    """Return ASCII as full-width letters, as a Japanese keyboard may type them."""
    return "".join(chr(ord(char) + 0xFEE0) for char in text)


async def fresh(users: UsersRepo, user_id: str) -> User:
    """Return a user as stored now. Raises `LookupError` for an unknown id."""
    user = await users.get(user_id)
    if user is None:
        raise LookupError(user_id)
    return user


def ids(*users: User | None) -> list[str | None]:
    """Return the id of each user, or None."""
    return [user.id if user else None for user in users]


def winners(outcomes: list[object]) -> int:
    """Return how many calls returned a user."""
    return sum(isinstance(outcome, User) for outcome in outcomes)


def losers(outcomes: list[object]) -> set[str]:
    """Return the names of the errors of the other calls."""
    return {type(outcome).__name__ for outcome in outcomes if not isinstance(outcome, User)}
