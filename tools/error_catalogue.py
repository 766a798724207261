"""Write ``docs/errors.md``, the catalogue of errors, from the error tree: ``python tools/error_catalogue.py``.

The classes, their codes and meanings come from the tree. The HTTP statuses are listed here because the core knows no
HTTP, and so are the codes of a `Problem`, which are spread over the core.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from authx_core.domain import errors

PAGE: Final = Path(__file__).parents[1] / "docs/errors.md"
_ID: Final = "0198f1d2…"

STATUS: Final[dict[type[errors.AuthxError], int]] = {
    errors.InvalidUser: 422,
    errors.InvalidPassword: 422,
    errors.InvalidQuery: 422,
    errors.InvalidValue: 422,
    errors.InvalidPolicy: 500,
    errors.InvalidSchema: 500,
    errors.InvalidToken: 400,
    errors.TooManyAttempts: 429,
    errors.UserNotFound: 404,
    errors.StaleUser: 409,
    errors.LastCredential: 409,
    errors.EmailTaken: 409,
    errors.UsernameTaken: 409,
    errors.SocialTaken: 409,
    errors.IdentifierTaken: 409,
    errors.UserReferenced: 409,
    errors.UnknownHash: 500,
    errors.Suspended: 500,
    errors.StoreUnavailable: 503,
    errors.CacheUnavailable: 503,
    errors.Overloaded: 503,
}
"""The HTTP status of each error that is raised."""

PROBLEMS: Final = {
    "common": "The password is one of those that attackers try first.",
    "contradiction": "Two settings, or two fields, exclude each other.",
    "dots": "The address has a dot first, last or beside another before the @.",
    "empty": "The hash is that of the empty password.",
    "invalid": "The value has a wrong type or form.",
    "length": "The name is too short or too long.",
    "mixed_scripts": "The name mixes scripts, or kinds of digits.",
    "more": "There are more than 100 problems; the message counts the rest.",
    "nobody": "Nothing is left to find the user by: no address, username or social identity.",
    "out_of_range": "The number, the duration or the instant is out of range.",
    "own_name": "The password is the user's own address or username.",
    "protected": "The field exists, but only an operation of its own may set it.",
    "reserved": "The name is reserved, or looks like a reserved one.",
    "special_domain": "Mail from outside cannot reach this domain.",
    "too_long": "The password is too long.",
    "too_many": "The user has the highest permitted number of these.",
    "too_short": "The password is too short.",
    "unknown": "There is no such field or setting.",
    "unknown_hash": "No accepted scheme recognises the hash.",
}
"""The meaning of each code of a `Problem`. Adapters have more codes, for their settings."""

_EXAMPLES: Final = (
    errors.InvalidUser(errors.Problem("username", "reserved", "is reserved")),
    errors.InvalidPassword(errors.Problem("password", "too_short", "must have at least 15 characters")),
    errors.InvalidQuery(errors.Problem("size", "out_of_range", "must be a whole number, 1..100")),
    errors.InvalidValue(errors.Problem("cutoff", "invalid", "must be an aware datetime")),
    errors.InvalidPolicy(errors.Problem("username_min", "contradiction", "must not exceed username_max")),
    errors.InvalidSchema(errors.Problem("authx_users", "missing", "is missing: call create_schema() or migrate")),
    errors.InvalidToken(),
    errors.TooManyAttempts(),
    errors.UserNotFound(_ID),
    errors.StaleUser(_ID),
    errors.LastCredential(_ID),
    errors.EmailTaken({"email"}),
    errors.UsernameTaken({"username"}),
    errors.SocialTaken({"identities"}),
    errors.IdentifierTaken({"id"}),
    errors.UserReferenced(_ID),
    errors.UnknownHash(),
    errors.Suspended(),
    errors.StoreUnavailable("TimeoutError"),
    errors.CacheUnavailable("ConnectionError"),
    errors.Overloaded("20 callers wait for a hash"),
)

_HEAD: Final = """\
# Errors

<!-- Written by tools/error_catalogue.py. -->

Every error is a subclass of `AuthxError`. It has a stable `code` for programs and a sentence for people; `str(error)`
is the sentence. No error holds a password, a token or a hash, so each may be logged and shown.
[The reference](reference/errors.rst) draws the tree.

Answer with the status, the code and the sentence. Two answers have no error: `authenticate` returns `None` for a failed
login (401), and a lookup returns `None` for an unknown user (404).

| status | what the caller can do | errors |
|--:|---|---|
"""
_ACTIONS: Final = {
    400: "Ask for a new link.",
    404: "Nothing: the user does not exist.",
    409: "Choose another value, or read the user again and decide again.",
    422: "Correct the fields that `error.problems` names, all at once.",
    429: "Wait. Give every caller the same answer.",
    500: "Nothing: the application is set up wrongly. Log the sentence, do not send it.",
    503: "Try again later. Send `Retry-After`.",
}
_EACH: Final = """
## Each error

| error and code | when | sentence |
|---|---|---|
"""
_CODES: Final = """
## Codes of problems

An `InvalidInput` has a `Problem(field, code, message)` for each fault. A form shows `message` beside `field`, or
translates `code`. Adapters have more codes, for settings, such as `missing_driver`; the message says what to do.

| code | meaning |
|---|---|
"""


def page() -> str:
    """Return the whole page."""
    return "".join([_HEAD, *_statuses(), _EACH, *_errors(), _CODES, *_problems()])


def _statuses() -> Iterator[str]:
    for status, action in _ACTIONS.items():
        names = ", ".join(f"`{kind.__name__}`" for kind, answered in STATUS.items() if answered == status)
        yield f"| {status} | {action} | {names} |\n"


def _errors() -> Iterator[str]:
    for example in _EXAMPLES:
        kind = type(example)
        when = " ".join((kind.__doc__ or "").split())
        yield f"| `{kind.__name__}`<br>`{kind.code}` | {when} | {example} |\n"


def _problems() -> Iterator[str]:
    for code, meaning in PROBLEMS.items():
        yield f"| `{code}` | {meaning} |\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
