"""Every error of the project, under one root that is never raised itself.

    AuthxError
    ├── InvalidInput                    .problems: every one, not only the first
    │   ├── InvalidUser                 create, update, change_username, set_permissions
    │   ├── InvalidPassword             set_password, reset_password
    │   ├── InvalidQuery                search
    │   ├── InvalidPolicy               Policy(…), UsersRepo(…)
    │   ├── InvalidSchema               verify_schema: tables, indexes or settings that would break a promise
    │   └── InvalidValue                values that no port takes: NUL, lone surrogates, wrong types …
    ├── InvalidToken                    reset_password
    ├── TooManyAttempts                 authenticate
    ├── UserNotFound
    ├── StaleUser
    ├── LastCredential                  unlink_social
    ├── IdentifierTaken                 .fields: every one that is taken
    │   ├── EmailTaken
    │   ├── UsernameTaken
    │   └── SocialTaken
    ├── UserReferenced                  delete: rows of the application refer to the user
    ├── UnknownHash
    ├── Suspended                       an asynchronous adapter behind the blocking facade
    └── PortUnavailable
        ├── StoreUnavailable
        ├── CacheUnavailable
        └── Overloaded                  a bounded queue is full

Each has a stable ``code`` for programs and a sentence for people. None holds a password, token or hash.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

import attrs

from authx_core.domain.showing import sentence, shown, shown_id

if TYPE_CHECKING:
    from collections.abc import Iterable


_MAX_PROBLEMS: Final = 100


@attrs.frozen
class Problem:
    """One thing that is wrong with an input: where, a stable code, and a sentence. Never the value itself.

    A field's name may come from a stranger: it is escaped, and cut at 64 characters.
    """

    field: str = attrs.field(converter=shown)
    code: str
    message: str = attrs.field(converter=sentence)

    def __str__(self) -> str:
        return f"{self.field}: {self.message}" if self.field else self.message


class AuthxError(Exception):
    """The root of the tree; never raised itself."""

    code: ClassVar[str] = "error"


class InvalidInput(AuthxError):
    """Input that was refused, with every `Problem` in it, at most 100. Nothing was changed.

    The last of more than 100 says how many are left out, so that no input makes an error of its own size.
    """

    code = "invalid"

    def __init__(self, *problems: Problem) -> None:
        left_out = len(problems) - _MAX_PROBLEMS + 1
        if left_out > 1:
            more = Problem("", "more", f"and {left_out} more problems")
            problems = (*problems[: _MAX_PROBLEMS - 1], more)
        super().__init__(*problems)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Every problem that was found."""
        return self.args

    def __str__(self) -> str:
        return "; ".join(str(problem) for problem in self.problems)


class InvalidUser(InvalidInput):
    """The data of a user that was refused."""

    code = "invalid_user"


class InvalidPassword(InvalidInput):
    """A password that the policy refuses, with every reason."""

    code = "invalid_password"


class InvalidQuery(InvalidInput):
    """A search that cannot be run."""

    code = "invalid_query"


class InvalidPolicy(InvalidInput):
    """Settings that are out of range, or contradict each other."""

    code = "invalid_policy"


class InvalidValue(InvalidInput):
    """A value that no port takes: NUL, a lone surrogate, a naive datetime, a wrong type or an impossible size."""

    code = "invalid_value"


class InvalidSchema(InvalidInput):
    """A database whose tables, indexes or settings would break a promise. Each problem names its remedy."""

    code = "invalid_schema"


class InvalidToken(AuthxError):
    """A reset link that was never issued, has expired, was used, or was voided by a later change."""

    code = "invalid_token"

    def __str__(self) -> str:
        return "the link is unknown, expired or used"


class TooManyAttempts(AuthxError):
    """Logging in is locked for this client or this login; an application answers 429."""

    code = "too_many_attempts"

    def __str__(self) -> str:
        return "too many attempts to log in: try again later"


class _OfUser(Exception):  # no child of the root, so that a walk through the tree meets real errors only
    """An error about one user."""

    def __init__(self, user_id: object) -> None:
        super().__init__(shown_id(user_id))

    @property
    def user_id(self) -> str:
        """The id of the user, at most 255 characters of it."""
        return str(self.args[0])


class UserNotFound(_OfUser, AuthxError):
    """No user has this id."""

    code = "user_not_found"

    def __str__(self) -> str:
        return f"no user has the id {self.user_id!r}"


class StaleUser(_OfUser, AuthxError):
    """The user was changed in the meantime: read again and decide anew. Nothing was written."""

    code = "stale_user"

    def __str__(self) -> str:
        return f"the user {self.user_id!r} was changed in the meantime"


class LastCredential(_OfUser, AuthxError):
    """Without this social identity the user could not log in any more: let them set a password first."""

    code = "last_credential"

    def __str__(self) -> str:
        return f"the user {self.user_id!r} has no other way to log in: a password or another identity comes first"


class IdentifierTaken(AuthxError):
    """Another user has this id, e-mail address, username or social identity. Nothing was written."""

    code = "identifier_taken"

    def __init__(self, fields: Iterable[str]) -> None:
        super().__init__(frozenset(fields))

    @property
    def fields(self) -> frozenset[str]:
        """Every field that is taken, of ``id``, ``email``, ``username`` and ``identities``."""
        return frozenset(self.args[0])

    def __str__(self) -> str:
        return f"taken by another user: {', '.join(sorted(self.fields))}"

    @staticmethod
    def of(fields: Iterable[str]) -> IdentifierTaken:
        """Make the most specific child: `EmailTaken` before `UsernameTaken` before `SocialTaken`."""
        taken = frozenset(fields)
        for field, kind in (("email", EmailTaken), ("username", UsernameTaken), ("identities", SocialTaken)):
            if field in taken:
                return kind(taken)
        return IdentifierTaken(taken)


class EmailTaken(IdentifierTaken):
    """Another user has this e-mail address, in this or another spelling."""

    code = "email_taken"


class UsernameTaken(IdentifierTaken):
    """Another user has this username, in this or another spelling."""

    code = "username_taken"


class SocialTaken(IdentifierTaken):
    """Another user has linked this social identity."""

    code = "social_taken"


class UserReferenced(_OfUser, AuthxError):
    """Rows of the application's own tables refer to this user; an application answers 409. Nothing was deleted."""

    code = "user_referenced"

    def __str__(self) -> str:
        return (
            f"rows of other tables refer to the user {self.user_id!r}: delete them first, "
            "or declare their foreign key ON DELETE CASCADE or SET NULL"
        )


class UnknownHash(AuthxError):
    """A stored password hash that no scheme recognises, that is corrupt, or whose parameters are beyond bounds."""

    code = "unknown_hash"

    def __str__(self) -> str:
        return "the stored password hash is of no accepted scheme"


class Suspended(AuthxError):
    """A coroutine that ran without an event loop tried to wait for one."""

    code = "suspended"

    def __init__(self, operation: str = "") -> None:
        super().__init__(operation)

    @property
    def operation(self) -> str:
        """The name of the coroutine that tried to wait, if it has one."""
        return str(self.args[0])

    def __str__(self) -> str:
        where = f"{self.operation}: " if self.operation else ""
        reason = "an asynchronous adapter or callback is behind the blocking facade"
        return f"{where}{reason}: give it blocking ones, or use UsersRepo"


class PortUnavailable(AuthxError):
    """An adapter cannot be reached, timed out or is overloaded; trying again later may work."""

    code = "unavailable"

    def __init__(self, reason: str = "", *, answered: bool = False) -> None:
        super().__init__(sentence(reason))
        self.answered = answered
        """Whether the engine is reachable and refused this call: another call may work at once."""

    def __str__(self) -> str:
        return f"{self.code.replace('_', ' ')}: {self.args[0]}" if self.args[0] else self.code.replace("_", " ")


class StoreUnavailable(PortUnavailable):
    """The user store cannot be reached or timed out."""

    code = "store_unavailable"


class CacheUnavailable(PortUnavailable):
    """The cache cannot be reached, timed out or is full."""

    code = "cache_unavailable"


class Overloaded(PortUnavailable):
    """A bounded queue is full; an application answers 503."""

    code = "overloaded"
