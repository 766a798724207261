"""Play a day with a thousand people, and show what holds.

    python examples/demo.py [--url URL] [--cache-url URL] [--blocking] [--people FILE]

Exits with 1 if anything does not hold. A database that is named must be empty, and is left empty.
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
from people import BUNDLED, FILE, Refusal, let_in, read
from report import Report
from stage import LetterBox, Stage, as_tasks, as_threads

if TYPE_CHECKING:
    from collections.abc import Sequence

PATIENCE = 60
"""Seconds: everybody comes at once, and the machine may be busy with something else."""


async def play(users: UsersRepo, stage: Stage) -> None:
    """Let everybody in, and play the day."""
    with stage.report.step("A thousand people arrive"):
        console = stage.report.console
        admitted, refusals = await let_in(users, track(stage.people, "Letting people in", console=console))
        stage.admitted.update(admitted)
        stage.report.refusals(refusals)
        await judge(users, stage, refusals)
    await day(users, stage)


async def judge(users: UsersRepo, stage: Stage, refusals: Sequence[Refusal]) -> None:
    """Show that bad lines were refused for what is wrong with them, and that nothing else was lost."""
    blamed: dict[int, set[str]] = {}
    for refusal in refusals:
        blamed.setdefault(refusal.line, set()).add(refusal.field)
    if stage.people == read(FILE):
        stage.report.equal("just the ten bad lines were refused, each for its own fields", dict(BUNDLED), blamed)
    _, total = await users.search()
    stage.report.equal(f"everybody else is in: {total} people", len(stage.people) - len(blamed), total)
    kept = [
        user.email == person.new.email and user.extra == person.new.extra
        for person in stage.people
        if person.line in stage.admitted and (user := stage.admitted[person.line])
    ]
    stage.report.true("with their names and addresses as they wrote them", all(kept))


def greet(users: BlockingUsersRepo, stage: Stage) -> None:
    """Call the blocking facade as a script without an event loop would."""
    with stage.report.step("Without an event loop"):
        person = stage.cast(lambda each: each.new.password)[0]
        user = users.get_by_login(person.email)
        stage.report.equal("a plain call finds a user", stage.id(person), user and user.id)
        user = users.authenticate(person.email, person.password, ip="192.0.2.9")
        stage.report.equal("and logs one in", stage.id(person), user and user.id)
        stage.report.equal("and counts everybody", len(stage.admitted), users.search(size=1)[1])


async def is_empty(users: UsersRepo) -> bool:
    """Whether there is nobody yet."""
    return not await users.search_after(size=1)


async def clear(users: UsersRepo) -> None:
    """Remove everybody."""
    await users.delete_blackout()
    while found := await users.search_after(size=100):
        for user in found:
            await users.delete(user.id)


async def asynchronous(url: str, cache_url: str, stage: Stage, *, keep: bool) -> None:
    """Play it in an event loop."""
    async with connect(
        url, cache_url=cache_url, clock=stage.clock, callbacks=[stage.letters], timeout=PATIENCE, cache_timeout=PATIENCE
    ) as users:
        if not await is_empty(users):
            sys.exit("the demo wants an empty database")
        try:
            await play(users, stage)
        finally:
            if not keep:
                await clear(users)


def blocking(url: str, cache_url: str, stage: Stage, *, keep: bool) -> None:
    """Play it without an event loop: over blocking adapters nothing ever suspends, so `run` is all it takes."""
    with connect_blocking(
        url, cache_url=cache_url, clock=stage.clock, callbacks=[stage.letters], timeout=PATIENCE, cache_timeout=PATIENCE
    ) as users:
        if not run(is_empty(users.users)):
            sys.exit("the demo wants an empty database")
        try:
            run(play(users.users, stage))
            greet(users, stage)
        finally:
            if not keep:
                run(clear(users.users))


def main() -> int:
    """Read the command line, play, and return the exit status."""
    parser = argparse.ArgumentParser(description="Play a day with a thousand people, and show what holds.")
    parser.add_argument("--url", help="an empty database, as for connect(); default: SQLite in a temporary folder")
    parser.add_argument("--cache-url", default="memory://", help="a database for the cache too; default: in memory")
    parser.add_argument("--blocking", action="store_true", help="without an event loop")
    parser.add_argument("--people", type=Path, default=FILE, metavar="FILE", help="a file like people.csv")
    args = parser.parse_args()
    if args.cache_url.startswith("redis"):
        parser.error("Redis keeps lifetimes by its own clock, and the demo moves one of its own")
    try:
        people = read(args.people)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal that knows few letters must not end the day
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
