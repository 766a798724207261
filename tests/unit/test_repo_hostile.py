"""A hostile value for any parameter of any operation raises one of our errors or finds no user."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from datetime import datetime, timezone
from typing import Any, Final

import attrs
import pytest

from authx_core import AuthxError, InvalidValue, NewUser, Policy, SocialIdentity, User, UsersRepo

NOW: Final = datetime(2026, 1, 1, tzinfo=timezone.utc)
TOKEN: Final = "Yp3vQ0s8kXo5cWb1Zr7TgLd2nJf4hUe6AaMiKtBxRwE"
HOSTILE: Final[dict[str, Any]] = {
    "empty": "",
    "None": None,
    "zero": 0,
    "negative": -1,
    "true": True,
    "huge number": 10**5000,
    "fraction": 0.5,
    "NaN": float("nan"),
    "bytes": b"ana",
    "list": ["ana"],
    "mapping": {"id": "ana"},
    "object": object(),
    "function": len,
    "naive": datetime(2026, 1, 1),  # noqa: DTZ001 - naive on purpose
    "10 MB": "a" * 10_000_000,
    "10 MB address": "a" * 10_000_000 + "@example.com",
    "10 MB of marks": "\u0300" * 5_000_000,
    "10 MB of bytes": b"a" * 10_000_000,
    "NUL": "ana\0",
    "NUL address": "ana@example.com\0",
    "surrogate": "ana\ud800",
    "surrogate address": "ana\ud800@example.com",
}
VALID: Final[dict[str, Any]] = {
    "email": "ana@example.com",
    "username": "ana",
    "new_username": "anna",
    "login": "ana",
    "provider": "github",
    "sid": "7",
    "obj": {"username": "bob"},
    "password": "correct horse battery",
    "token": TOKEN,
    "ip": "192.0.2.1",
    "key": "key",
    "max": 1,
    "timeout": 60,
    "ts": NOW,
    "permissions": ["write"],
}
NO_USER: Final[tuple[object, ...]] = (None, False, [], ([], 0))

ORDINARY: Final = {
    ("search", "username", "empty"): "every name contains it",
    ("search_after", "username", "empty"): "every name contains it",
    ("search_after", "username_prefix", "empty"): "every name begins with it",
    ("search_after", "email", "empty"): "every address contains it",
    ("search_after", "email_prefix", "empty"): "every address begins with it",
    ("search_after", "after", "empty"): "every id comes after it",
    ("search_after", "active", "true"): "it is a state",
    ("_check_timeout_and_incr", "key", "empty"): "it is a key",
    ("_check_timeout_and_incr", "timeout", "fraction"): "it is half a second",
    ("_check_timeout_and_incr", "max", "huge number"): "it is a limit",
    ("is_email_confirmation_available", "id", "empty"): "requests for unknown ids are counted too",
    ("is_password_reset_available", "id", "empty"): "requests for unknown ids are counted too",
    **{
        (name, "permissions", "list"): "it is a permission"
        for name in ("set_permissions", "add_permissions", "remove_permissions")
    },
}
"""Why a value is valid for this parameter, though it looks hostile."""

OPERATIONS: Final = {
    name: operation
    for name, operation in inspect.getmembers(UsersRepo, inspect.iscoroutinefunction)
    if not name.startswith("on_")
    and name not in ("publish", "check_access")
    and (name[0] != "_" or name == "_check_timeout_and_incr")
}
PARAMETERS: Final = [
    (name, parameter)
    for name, operation in OPERATIONS.items()
    for parameter in list(inspect.signature(operation).parameters)[1:]
]


@pytest.fixture(params=["memory", "blocking-sqlite"])
def engine(request: pytest.FixtureRequest) -> str:
    """Both kinds of caller, and an engine that fails on values that the core should refuse."""
    return str(request.param)


@pytest.fixture
def users(make_users: Callable[..., UsersRepo]) -> UsersRepo:
    """A facade whose limits these attempts do not reach."""
    return make_users(policy=Policy(login_max=100, login_client_max=1000))


def attacked(name: str, target: str) -> Iterator[tuple[str, Any]]:
    """Yield the hostile values of a parameter: all but its default and the ordinary ones."""
    default = inspect.signature(OPERATIONS[name]).parameters[target].default
    for label, value in HOSTILE.items():
        if not (value is None and default is None) and (name, target, label) not in ORDINARY:
            yield label, value


def arguments(name: str, target: str, value: Any, ana: User) -> dict[str, Any]:
    """Return valid arguments with one hostile value; parameters that have a default are left out."""
    named: dict[str, Any] = {}
    given = {**VALID, "id": ana.id}
    for each in list(inspect.signature(OPERATIONS[name]).parameters.values())[1:]:
        if each.name == target:
            named[each.name] = value
        elif each.default is each.empty:
            named[each.name] = given[each.name]
    return named


@pytest.mark.parametrize(("name", "target"), PARAMETERS)
async def test_a_hostile_value_finds_no_user_and_changes_nothing(
    users: UsersRepo, ana: User, name: str, target: str
) -> None:
    identifies = (name, target) not in {("authenticate", "ip"), ("request_email_confirmation", "email")}
    for label, value in attacked(name, target):
        before = await users.get(ana.id)
        named = arguments(name, target, value, ana)
        result = await outcome(getattr(users, name)(**named))
        if isinstance(result, AuthxError):
            assert type(result) is not AuthxError
            assert await users.get(ana.id) == before, label
            assert len(str(result).encode()) < 2000, label
        else:
            assert result in NO_USER or not identifies, label


async def outcome(call: Awaitable[object]) -> object:
    """Return the result, or the error if it is one of ours."""
    try:
        return await call
    except AuthxError as error:
        return error


@pytest.mark.parametrize(("key", "label"), ORDINARY.items())
def test_every_ordinary_value_names_a_parameter_and_a_hostile_value(key: tuple[str, str, str], label: str) -> None:
    assert key[:2] in PARAMETERS
    assert key[2] in HOSTILE
    assert label


async def test_a_link_for_a_hostile_address_confirms_no_user(users: UsersRepo, ana: User) -> None:
    for label, address in HOSTILE.items():
        try:
            token = await users.request_email_confirmation(address)
        except InvalidValue:
            assert not isinstance(address, str), label
            continue
        assert not await users.confirm_email(token), label
    assert await users.get(ana.id) == ana


@pytest.mark.parametrize("field", ["email", "username", "password", "identities", "extra"])
@pytest.mark.parametrize("operation", ["create", "update"])
async def test_hostile_fields_are_refused_or_stored_unchanged(
    users: UsersRepo, ana: User, field: str, operation: str
) -> None:
    for number, value in enumerate(HOSTILE.values()):
        for given in (value, [value], {"a": value}, [{"provider": value, "subject": "x"}]):
            fields = {
                "username": f"user{number}",
                "email": f"user{number}@example.com",
                field: given,
            }
            before = await users.get(ana.id)
            with suppress(AuthxError):
                user = await (users.create(fields) if operation == "create" else users.update(ana.id, fields))
                assert field not in ("email", "username") or given is None
                assert field != "password" or given is None
                assert field != "extra" or user.extra == given
                await (
                    users.delete(user.id)
                    if operation == "create"
                    else users.update(ana.id, {"email": ana.email, "username": "ana"})
                )
                continue
            assert await users.get(ana.id) == before


@pytest.mark.parametrize("field", [field.name for field in attrs.fields(NewUser)])
async def test_a_hostile_new_user_is_refused_or_stored_unchanged(users: UsersRepo, ana: User, field: str) -> None:
    for value in HOSTILE.values():
        given: dict[str, Any] = {"username": "bob", "identities": (SocialIdentity("x", "y"),), field: value}
        with suppress(AuthxError):
            user = await users.create(NewUser(**given))
            if value is not None and field not in ("password", "password_hash"):
                assert getattr(user, field) in (value, frozenset(value) if isinstance(value, list) else value)
            await users.delete(user.id)
    assert await users.get(ana.id) == ana
