"""Run a day with a thousand people, and check each promise.

    python examples/demo.py [--url URL] [--cache-url URL] [--blocking] [--people FILE]

Exits with 1 if a check fails. The database must be empty, and is left empty.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from io import TextIOWrapper
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from rich.progress import track

from authx_adapters import connect, connect_blocking
from authx_adapters.clock import ManualClock
from authx_core import BlockingUsersRepo, InvalidInput, PortUnavailable, UsersRepo, run
from day import day
from people import BUNDLED, FILE, Refusal, create_users, read
from report import Report
from stage import LetterBox, Stage, as_tasks, as_threads

if TYPE_CHECKING:
    from collections.abc import Sequence

TIMEOUT = 60
"""In seconds; generous, because many calls run at once and the machine may be busy."""


async def run_demo(users: UsersRepo, stage: Stage) -> None:
    """Create the people, and run the day."""
    with stage.report.step("A thousand people arrive"):
        console = stage.report.console
        admitted, refusals = await create_users(users, track(stage.people, "Creating users", console=console))
        stage.admitted.update(admitted)
        stage.report.refusals(refusals)
        await check_arrivals(users, stage, refusals)
    await day(users, stage)


async def check_arrivals(users: UsersRepo, stage: Stage, refusals: Sequence[Refusal]) -> None:
    """Check that bad lines were refused for the right fields, and that all other people were created."""
    refused: dict[int, set[str]] = {}
    for refusal in refusals:
        refused.setdefault(refusal.line, set()).add(refusal.field)
    if stage.people == read(FILE):
        stage.report.equal("only the ten bad lines were refused, each for its own fields", dict(BUNDLED), refused)
    _, total = await users.search()
    stage.report.equal(f"everybody else was created: {total} people", len(stage.people) - len(refused), total)
    kept = [
        user.email == person.new.email and user.extra == person.new.extra
        for person in stage.people
        if person.line in stage.admitted and (user := stage.admitted[person.line])
    ]
    stage.report.true("with names and addresses as they were written", all(kept))


def greet(users: BlockingUsersRepo, stage: Stage) -> None:
    """Call the blocking facade as a script without an event loop would."""
    with stage.report.step("Without an event loop"):
        person = stage.cast(lambda each: each.new.password)[0]
        user = users.get_by_login(person.email)
        stage.report.equal("a plain call finds a user", stage.id(person), user and user.id)
        user = users.authenticate(person.email, person.password, ip="192.0.2.9")
        stage.report.equal("and logs a user in", stage.id(person), user and user.id)
        stage.report.equal("and counts the users", len(stage.admitted), users.search(size=1)[1])


async def is_empty(users: UsersRepo) -> bool:
    """Return whether there are no users."""
    return not await users.search_after(size=1)


async def clear(users: UsersRepo) -> None:
    """Delete all users and the blackout."""
    await users.delete_blackout()
    while found := await users.search_after(size=100):
        for user in found:
            await users.delete(user.id)


async def asynchronous(url: str, cache_url: str, stage: Stage, *, keep: bool) -> None:
    """Run the demo in an event loop."""
    async with connect(
        url, cache_url=cache_url, clock=stage.clock, callbacks=[stage.letters], timeout=TIMEOUT, cache_timeout=TIMEOUT
    ) as users:
        if not await is_empty(users):
            sys.exit("the database has users: the demo needs an empty one")
        try:
            await run_demo(users, stage)
        finally:
            if not keep:
                await clear(users)


def blocking(url: str, cache_url: str, stage: Stage, *, keep: bool) -> None:
    """Run the demo without an event loop: blocking adapters never suspend, so `run` is enough."""
    with connect_blocking(
        url, cache_url=cache_url, clock=stage.clock, callbacks=[stage.letters], timeout=TIMEOUT, cache_timeout=TIMEOUT
    ) as users:
        if not run(is_empty(users.users)):
            sys.exit("the database has users: the demo needs an empty one")
        try:
            run(run_demo(users.users, stage))
            greet(users, stage)
        finally:
            if not keep:
                run(clear(users.users))


def main() -> int:
    """Read the command line, run the demo, and return the exit status."""
    parser = argparse.ArgumentParser(description="Run a day with a thousand people, and check each promise.")
    parser.add_argument("--url", help="an empty database, as for connect(); default: SQLite in a temporary folder")
    parser.add_argument("--cache-url", default="memory://", help="a database for the cache too; default: in memory")
    parser.add_argument("--blocking", action="store_true", help="run without an event loop")
    parser.add_argument("--people", type=Path, default=FILE, metavar="FILE", help="a file like people.csv")
    args = parser.parse_args()
    if args.cache_url.startswith("redis"):
        parser.error("Redis measures lifetimes with its own clock, but the demo has to move the clock")
    try:
        people = read(args.people)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # for terminals without Unicode
    report = Report()
    at_once = as_threads if args.blocking else as_tasks
    stage = Stage(ManualClock(), LetterBox(), at_once, report, people)
    with TemporaryDirectory() as folder:
        url = args.url or f"sqlite:///{Path(folder, 'users.db').as_posix()}"
        keep = args.url is None
        try:
            if args.blocking:
                blocking(url, args.cache_url, stage, keep=keep)
            else:
                asyncio.run(asynchronous(url, args.cache_url, stage, keep=keep))
        except (InvalidInput, PortUnavailable) as error:
            parser.error(str(error))
    return report.close()


if __name__ == "__main__":
    sys.exit(main())
