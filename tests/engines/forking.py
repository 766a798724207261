"""A script whose process uses an engine, forks and continues: ``python -m engines.forking psycopg URL raw``.

Parent and children read at once, each a user of its own. A process exits with 1 on an error or on another's user.
"""

from __future__ import annotations

import asyncio
import ctypes
import multiprocessing
import os
import signal
import sys
import traceback
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from threading import Event, Thread
from typing import Any, Final

from sqlalchemy import Dialect, Engine, event
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from authx_adapters.clock import ManualClock
from authx_adapters.common.settle import settle
from authx_adapters.sqlalchemy import SQLAlchemyUserStore
from authx_adapters.threaded import Threaded
from authx_contract.samples.users import full_user
from authx_core import InvalidValue, UserStore, run
from engines.drivers import DRIVERS, Driver, prepare
from engines.numbers import connections, number

TIMEOUT: Final = 60
"""Seconds after which a process counts as hung."""
CALLS: Final = 40
MINUTE: Final = timedelta(minutes=1)
PEOPLE: Final = {name: full_user(name) for name in ("parent", "child", "grandchild", "worker")}


class Process:
    """A process that uses ports which were made before it was forked."""

    def __init__(self, driver: Driver, url: str) -> None:
        self.driver, self.url = driver, url
        self.client = driver.open(url.partition("#")[0])
        self.cache = driver.cache(self.client, url, ManualClock())
        self.store = driver.users(self.client, url) if driver.keeps_users else None
        self.run: Callable[[Coroutine[Any, Any, Any]], Any] = run if driver.blocking else asyncio.run

    async def prepare(self) -> None:
        await prepare(self.cache)
        if self.store:
            await prepare(self.store)
            for user in PEOPLE.values():
                await self.store.create(user)

    async def work(self, name: str) -> None:
        """Write and read this process's own data, from several tasks if the driver is asynchronous."""
        if self.run is run:
            for _ in range(CALLS):
                await self._once(name)
        else:
            await asyncio.gather(*(self._once(name) for _ in range(CALLS)))

    async def end(self) -> None:
        """Work once more, and close the client in the loop of its connections."""
        await self.work("parent")
        close = next(name for name in ("dispose", "aclose", "close") if hasattr(type(self.client), name))
        await settle(getattr(self.client, close)())

    async def _once(self, name: str) -> None:
        await self.cache.set(name, name, ttl=MINUTE)
        assert await self.cache.get(name) == name
        if self.store:
            assert await self.store.get(PEOPLE[name].id) == PEOPLE[name]


def raw(process: Process) -> None:
    """Fork, and fork again in the child; all three work while another thread uses connections."""
    stop, busy = Event(), Thread(target=lambda: process.run(_busy(process, stop)))
    if process.driver.blocking:
        busy.start()
    try:
        _forked(process, "child", lambda: _forked(process, "grandchild", lambda: None))
    finally:
        stop.set()
        if process.driver.blocking:
            busy.join()


def in_loop(process: Process) -> None:
    """Fork while the parent's event loop runs."""

    async def main() -> None:
        await process.work("parent")
        _forked(process, "child", lambda: None)
        await process.work("parent")

    asyncio.run(main())


def in_pool(process: Process) -> None:
    """Work in the processes of a pool that forks."""
    process.run(process.work("parent"))
    global inherited  # noqa: PLW0603 - like a module of an application
    inherited = process
    taken = _connections(process)
    with ProcessPoolExecutor(2, multiprocessing.get_context("fork")) as pool:
        for call in [pool.submit(_work, name, taken) for name in PEOPLE]:
            call.result(TIMEOUT)


def threaded(process: Process) -> None:
    """Work in threads, which a child does not inherit."""
    process.store, process.cache = process.store and Threaded(process.store), Threaded(process.cache)
    process.run = asyncio.run
    asyncio.run(process.work("parent"))
    _forked(process, "child", lambda: None)


def joined(process: Process) -> None:
    """Use the parent's connection and session in a child, with stores of the parent and of the child."""

    async def main() -> None:
        engine = process.driver.open(process.url, isolation_level=None, skip_autocommit_rollback=False)
        connection: Any = engine.connect() if process.driver.blocking else await engine.connect()
        session: Any = Session(engine) if process.driver.blocking else AsyncSession(engine)
        await settle(session.connection())
        stores = [SQLAlchemyUserStore(connection), SQLAlchemyUserStore(session)]

        def in_child() -> None:
            own = [SQLAlchemyUserStore(connection), SQLAlchemyUserStore(session)]
            assert all(process.run(_refuses(store)) for store in [*stores, *own])

        _ended(_child(in_child))
        for client, store in zip((connection, session), stores, strict=True):
            assert await store.get(PEOPLE["parent"].id) == PEOPLE["parent"]
            await settle(client.close())
        await settle(engine.dispose())

    process.run(main())


def held(process: Process) -> None:
    """Hold the engine's only connection while a child uses the engine without our adapters."""
    with _holding(process) as (engine, _, inherited):

        def in_child() -> None:
            with engine.connect() as own:
                assert number(own) != inherited

        _ended(_child(in_child))


def without_hooks(process: Process) -> None:
    """Hold the only connection, and fork in C, as uWSGI may: Python calls no fork hook."""
    with _holding(process) as (_, store, _):

        def in_child() -> None:
            assert run(store.get(PEOPLE["child"].id)) == PEOPLE["child"]

        _ended(_child(in_child, ctypes.PyDLL(None).fork))


@contextmanager
def _holding(process: Process) -> Generator[tuple[Engine, UserStore, int], None, None]:
    engine = process.driver.open(process.url, **process.driver.single)
    store = process.driver.users(engine, process.url)
    assert run(store.get(PEOPLE["parent"].id)) == PEOPLE["parent"]
    with engine.connect() as connection:
        inherited = number(connection)
        yield engine, store, inherited
        assert number(connection) == inherited
    engine.dispose()


def first(process: Process) -> None:
    """Fork while another thread makes the engine's first connection, from which SQLAlchemy learns about the server."""
    new, parent = Process(process.driver, process.url), os.getpid()
    engine: Any = getattr(new.client, "sync_engine", new.client)
    begun, proceed = Event(), Event()

    def wait(*_: object) -> None:
        if os.getpid() == parent:
            begun.set()
            assert proceed.wait(TIMEOUT)

    event.listen(engine, "do_execute", wait)
    other = Thread(target=lambda: new.run(new.work("worker")))
    other.start()
    assert begun.wait(TIMEOUT)

    def in_child() -> None:
        new.run(new.work("child"))
        assert _learned(engine.dialect) == _learned(process.client.dialect)

    try:
        _ended(_child(in_child))
    finally:
        proceed.set()
        other.join()
    new.run(new.end())


def _learned(dialect: Dialect) -> tuple[object, ...]:
    return dialect.server_version_info, dialect.default_schema_name, dialect.default_isolation_level


async def _refuses(store: SQLAlchemyUserStore) -> bool:
    try:
        await store.get(PEOPLE["child"].id)
    except InvalidValue as error:
        return error.problems[0].code == "forked"
    return False


inherited: Process


def _work(name: str, taken: set[str]) -> None:
    inherited.run(inherited.work(name))
    assert taken.isdisjoint(_connections(inherited))


def _connections(process: Process) -> set[str]:
    return {*connections(process.client)} if process.driver.blocking else set()


async def _busy(process: Process, stop: Event) -> None:
    while not stop.is_set():
        await process.work("worker")


def _forked(process: Process, name: str, then: Callable[[], None]) -> None:
    """Work in a child, which then calls `then`, and in this process at the same time."""

    def in_child() -> None:
        process.run(process.work(name))
        then()
        if process.driver.blocking and hasattr(process.client, "dispose"):
            process.client.dispose()  # as on leaving `with connect_blocking(…)`; the parent must not notice

    child = _child(in_child)
    if process.run is run:
        process.run(process.work("parent"))
    _ended(child)


def _child(work: Callable[[], None], fork: Callable[[], int] = os.fork) -> int:
    """Run work in a child; return the child's process id."""
    child = fork()
    if child:
        return child
    status = 1
    try:
        signal.alarm(TIMEOUT)
        work()
        status = 0
    except BaseException:  # noqa: BLE001 - a child must not continue as its parent
        traceback.print_exc()
    finally:
        os._exit(status)


def _ended(child: int) -> None:
    """Wait for a child, which must succeed."""
    _, status = os.waitpid(child, 0)
    assert status == 0, f"the child failed with status {status}: its traceback is in stderr"


def main(name: str, url: str, how: str) -> None:
    signal.alarm(2 * TIMEOUT)
    process = Process(DRIVERS[name], url)
    process.run(process.prepare())
    {way.__name__: way for way in (raw, in_loop, in_pool, threaded, joined, held, without_hooks, first)}[how](process)
    process.run(process.end())


if __name__ == "__main__":
    main(*sys.argv[1:])
