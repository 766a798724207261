"""Errors have one root and stable codes, and survive pickling."""

from __future__ import annotations

import ast
import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest

import authx_core
from authx_core import AuthxError, EmailTaken, IdentifierTaken, Problem, SocialTaken, UsernameTaken
from authx_core.domain import errors

SAMPLES: list[AuthxError] = [
    errors.InvalidInput(Problem("email", "invalid", "is wrong"), Problem("", "nobody", "needs a name")),
    errors.InvalidUser(Problem("email", "invalid", "is wrong")),
    errors.InvalidPassword(Problem("password", "too_short", "is short")),
    errors.InvalidQuery(Problem("p", "out_of_range", "is wrong")),
    errors.InvalidSchema(Problem("authx_users", "missing", "is not there: call create_schema()")),
    errors.InvalidPolicy(Problem("login_max", "out_of_range", "is wrong")),
    errors.InvalidValue(Problem("key", "invalid", "is wrong")),
    errors.InvalidToken(),
    errors.TooManyAttempts(),
    errors.UserNotFound("42"),
    errors.StaleUser("42"),
    errors.UserReferenced("42"),
    errors.LastCredential("42"),
    errors.IdentifierTaken(["id"]),
    errors.EmailTaken(["email", "username"]),
    errors.UsernameTaken(["username"]),
    errors.SocialTaken(["identities"]),
    errors.UnknownHash(),
    errors.Suspended(),
    errors.PortUnavailable(),
    errors.StoreUnavailable("connection refused"),
    errors.CacheUnavailable("timed out"),
    errors.Overloaded("the queue is full"),
]


def tree(kind: type[AuthxError]) -> Iterator[type[AuthxError]]:
    for child in kind.__subclasses__():
        yield child
        yield from tree(child)


def test_there_is_a_sample_of_every_error() -> None:
    assert {type(error) for error in SAMPLES} == {kind for kind in tree(AuthxError) if "authx_core" in kind.__module__}


@pytest.mark.parametrize("error", SAMPLES, ids=lambda error: type(error).__name__)
def test_an_error_survives_pickling(error: AuthxError) -> None:
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert (type(again), again.args, str(again)) == (type(error), error.args, str(error))


@pytest.mark.parametrize("error", SAMPLES, ids=lambda error: type(error).__name__)
def test_an_error_has_a_sentence(error: AuthxError) -> None:
    assert str(error)
    assert "\n" not in str(error)


def test_codes_are_unique() -> None:
    kinds: list[type[AuthxError]] = [AuthxError, *tree(AuthxError)]
    codes = [kind.code for kind in kinds if "authx_core" in kind.__module__]
    assert len(codes) == len(set(codes))


def test_the_root_is_never_raised_itself() -> None:
    for path in Path(authx_core.__file__).parent.rglob("*.py"):
        raised = [node.exc for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Raise)]
        names = {getattr(exc.func if isinstance(exc, ast.Call) else exc, "id", None) for exc in raised if exc}
        assert "AuthxError" not in names, path


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        (["username", "email", "identities"], EmailTaken),
        (["identities", "username"], UsernameTaken),
        (["identities"], SocialTaken),
        (["id"], IdentifierTaken),
    ],
)
def test_the_most_specific_child_is_made_and_names_every_taken_field(fields: list[str], kind: type[AuthxError]) -> None:
    error = IdentifierTaken.of(fields)
    assert type(error) is kind
    assert error.fields == frozenset(fields)


@pytest.mark.parametrize("kind", [errors.UserNotFound, errors.StaleUser, errors.UserReferenced])
@pytest.mark.parametrize(
    ("user_id", "shown"),
    [("42", "42"), ("x" * 300, "x" * 255), ("\ud800", "\\ud800"), (5, "<int>"), (None, "<NoneType>")],
)
def test_a_hostile_id_is_shown_briefly(kind: type[errors.UserNotFound], user_id: object, shown: str) -> None:
    assert kind(user_id).user_id == shown
    str(kind(user_id)).encode()


def test_a_problem_of_the_whole_input_names_no_field() -> None:
    assert str(SAMPLES[0]) == "email: is wrong; needs a name"
