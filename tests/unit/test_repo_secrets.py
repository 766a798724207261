"""No repr, log, error or traceback with locals shows a password, token or hash, through both facades."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from traceback import TracebackException
from typing import Any, TypeAlias

import attrs
import pytest
from passlib.context import CryptContext

from authx_adapters.clock import ManualClock
from authx_adapters.memory import MemoryCache, MemoryUserStore
from authx_adapters.passlib import PasslibHasher
from authx_adapters.threaded import Threaded
from authx_core import (
    AuthxError,
    BlockingUsersRepo,
    Event,
    NewUser,
    Overloaded,
    PasswordHasher,
    Secret,
    UnknownHash,
    User,
    UsersRepo,
    UserStore,
    Verification,
    run,
)

CANARY = "canary-that-must-not-show"
SHORT, LONG, BROKEN = "cnry!", CANARY * 100, CANARY + "\ud800"
HASH = f"$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ${CANARY}"
CONFIRM = CANARY + "-confirm"
NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)
Do: TypeAlias = Callable[[UsersRepo, User], Awaitable[Any]]

CALLS: dict[str, Do] = {
    "create from a mapping": lambda users, _: users.create({"username": "bob", "password": CANARY}),
    "create from a value": lambda users, _: users.create(NewUser(username="bob", password=CANARY)),
    "create with a hash": lambda users, _: users.create(NewUser(username="bob", password_hash=HASH)),
    "create with a hash in a mapping": lambda users, _: users.create({"username": "bob", "password_hash": HASH}),
    "create of a taken name": lambda users, _: users.create({"username": "ana", "password": CANARY}),
    "create of a taken name with a hash": lambda users, _: users.create(
        NewUser(email="ana@example.com", password_hash=HASH)
    ),
    "create with a password too long": lambda users, _: users.create({"username": "bob", "password": LONG}),
    "create with a broken password": lambda users, _: users.create({"username": "bob", "password": BROKEN}),
    "create with a wrong field": lambda users, _: users.create({"username": "a b", "password": CANARY}),
    "create with bytes": lambda users, _: users.create({"username": "bob", "password": CANARY.encode()}),
    "create with a wrong password": lambda users, _: users.create(NewUser(username="bob", password=[CANARY])),  # type: ignore[arg-type]  # wrong on purpose
    "update of the password": lambda users, ana: users.update(ana.id, {"password": CANARY}),
    "update of the hash": lambda users, ana: users.update(ana.id, {"password_hash": HASH}),
    "set_password": lambda users, ana: users.set_password(ana.id, CANARY),
    "set_password too long": lambda users, ana: users.set_password(ana.id, LONG),
    "set_password broken": lambda users, ana: users.set_password(ana.id, BROKEN),
    "set_passwordof an unknown user": lambda users, _: users.set_password("0", CANARY),
    "set_password of a wrong type": lambda users, ana: users.set_password(ana.id, [CANARY]),  # type: ignore[arg-type]  # wrong on purpose
    "set_password_reset_token": lambda users, ana: users.set_password_reset_token(ana.id, CANARY),
    "set_password_reset_token too long": lambda users, ana: users.set_password_reset_token(ana.id, LONG),
    "set_password_reset_tokenof an unknown user": lambda users, _: users.set_password_reset_token("0", CANARY),
    "get_id_for_password_reset": lambda users, _: users.get_id_for_password_reset(BROKEN),
    "reset_password": lambda users, _: users.reset_password(CANARY, CANARY),
    "reset_password with a bad one": lambda users, _: users.reset_password(CANARY, LONG),
    "reset_password with a bad token": lambda users, _: users.reset_password(BROKEN, CANARY),
    "authenticate": lambda users, _: users.authenticate("ana", CANARY),
    "authenticate an unknown user": lambda users, _: users.authenticate("bob", CANARY),
    "authenticate with too much": lambda users, _: users.authenticate("ana", LONG),
    "authenticate a broken hash": lambda users, _: users.authenticate("eve", CANARY),
    "authenticate too often": lambda users, _: often(users),
    "request_email_confirmation with a bad token": lambda users, _: users.request_email_confirmation(
        "ana@example.com", BROKEN
    ),
    "confirm_email": lambda users, _: users.confirm_email(CONFIRM),
    "confirm_email with a bad token": lambda users, _: users.confirm_email(LONG),
}


@pytest.fixture(params=["memory", "aiosqlite", "blocking-sqlite"])
def engine(request: pytest.FixtureRequest) -> str:
    """Both kinds of caller, with and without a driver."""
    return str(request.param)


async def often(users: UsersRepo) -> None:
    for _ in range(11):
        await users.authenticate("ana", CANARY)


def shown(error: BaseException) -> str:
    """Format an error with its causes and the locals of every frame outside the tests."""
    written = TracebackException.from_exception(error, capture_locals=True)
    for each in chain(written):
        each.stack[:] = [
            frame for frame in each.stack if not Path(frame.filename).is_relative_to(Path(__file__).parent)
        ]
    return f"{error!r} {error!s} {error.args!r} {vars(error)!r} {''.join(written.format())}"


def chain(written: TracebackException | None) -> Iterator[TracebackException]:
    if written is not None:
        yield written
        yield from chain(written.__cause__)
        yield from chain(written.__context__)


def displayed(value: object) -> str:
    fields = attrs.asdict(value) if attrs.has(type(value)) else {}  # type: ignore[arg-type]  # guarded by has()
    return f"{value!r} {value!s} {fields!r}"


class Logged(logging.Handler):
    """Formats records with the locals of their tracebacks, as error trackers do."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.text += f"{record.getMessage()} {record.args!r}"
        if record.exc_info and record.exc_info[1]:
            self.text += shown(record.exc_info[1])


@pytest.fixture
def logged() -> Iterator[Logged]:
    handler, loggers = Logged(), [logging.getLogger(name) for name in ("authx_core", "authx_adapters", "sqlalchemy")]
    for logger in loggers:
        logger.addHandler(handler)
    yield handler
    for logger in loggers:
        logger.removeHandler(handler)


def fails(event: Event) -> None:
    raise RuntimeError(event.name)


@pytest.mark.parametrize("call", CALLS)
async def test_no_call_shows_a_secret(
    make_users: Callable[..., UsersRepo], store: UserStore, published: list[Event], logged: Logged, call: str
) -> None:
    users = make_users(callbacks=[fails, published.append])
    ana = await users.create({"username": "ana", "email": "ana@example.com", "password": CANARY})
    await store.create(
        User(id="7", username="eve", username_key="eve", password_hash=Secret("$unknown$" + CANARY), created_at=NOW)
    )
    await users.set_password_reset_token(ana.id, CANARY)
    await users.request_email_confirmation("ana@example.com", CONFIRM)
    ana = await users.get(ana.id) or ana
    text = displayed(ana)
    try:
        text += displayed(await CALLS[call](users, ana))
    except AuthxError as error:
        text += shown(error)
    text += "".join(map(displayed, published)) + logged.text
    hashes = [
        user.password_hash.reveal().rpartition("$")[2] for user in await users.search_after() if user.password_hash
    ]
    assert "fails" in logged.text
    for secret in (CANARY, *hashes, Secret(CANARY).digest(), Secret(CONFIRM).digest()):
        assert secret not in text


async def test_the_message_of_a_refusal_contains_no_short_password(users: UsersRepo, ana: User) -> None:
    with pytest.raises(AuthxError) as caught:
        await users.set_password(ana.id, SHORT)
    assert SHORT not in shown(caught.value)


class Full(PasswordHasher):
    """An overloaded hasher."""

    async def hash(self, _: str, /) -> str:
        raise Overloaded

    async def verify(self, _: str, __: str, /) -> Verification:
        raise Overloaded


async def test_an_overloaded_hasher_shows_no_password(make_users: Callable[..., UsersRepo], ana: User) -> None:
    full = make_users(hasher=Full())
    for call in (
        full.authenticate("ana", CANARY),
        full.create({"username": "bob", "password": CANARY}),
        full.set_password(ana.id, CANARY),
    ):
        with pytest.raises(Overloaded) as caught:
            await call
        assert CANARY not in shown(caught.value)


async def test_a_full_queue_shows_no_password(clock: ManualClock) -> None:
    """With an empty queue, `Threaded` refuses the second of two concurrent calls."""

    slow = PasslibHasher(CryptContext(["argon2"], argon2__time_cost=2, argon2__memory_cost=8192, argon2__parallelism=1))
    users = UsersRepo(MemoryUserStore(), MemoryCache(clock), clock=clock, hasher=Threaded(slow, workers=1, queue=0))
    calls = [users.authenticate(f"user{number}", CANARY) for number in range(2)]
    done = await asyncio.gather(*calls, return_exceptions=True)
    refused = [each for each in done if isinstance(each, BaseException)]
    assert [type(each) for each in refused] == [Overloaded]
    assert CANARY not in shown(refused[0])


def test_an_unknown_hash_shows_neither_the_hash_nor_the_password(hasher: PasslibHasher) -> None:
    with pytest.raises(UnknownHash) as caught:
        run(hasher.verify(CANARY, "$unknown$" + CANARY))
    assert CANARY not in shown(caught.value)


def test_the_blocking_facade_shows_no_argument(clock: ManualClock, hasher: PasslibHasher) -> None:
    users = BlockingUsersRepo(UsersRepo(MemoryUserStore(), MemoryCache(clock), clock=clock, hasher=hasher))
    with pytest.raises(AuthxError) as caught:
        users.create({"username": "a b", "password": CANARY})
    assert CANARY not in shown(caught.value)
