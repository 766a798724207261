"""Transitions of a user: the changes of each operation, or None if it changes nothing.

An operation that takes a right away raises the epoch, which voids every token issued so far.
"""

from __future__ import annotations

from datetime import datetime

from authx_core.domain.changes import changed
from authx_core.domain.errors import InvalidToken, InvalidUser, LastCredential, Problem, StaleUser
from authx_core.domain.limits import MAX_IDENTITIES
from authx_core.domain.link import Link
from authx_core.domain.next import NEXT
from authx_core.domain.password import PreparedPassword, check_names
from authx_core.domain.profile import NOBODY, is_nobody, read_permissions
from authx_core.domain.secret import Secret
from authx_core.domain.user import SocialIdentity, User, UserChanges


def updated(user: User, changes: UserChanges, version: int | None = None) -> UserChanges:
    """Change open fields; an e-mail address that is written otherwise is not confirmed.

    Raises `InvalidUser` if no name is left; `StaleUser` if ``version`` has passed.
    """
    if version is not None and version != user.version:
        raise StaleUser(user.id)
    after = changed(user, changes)
    if is_nobody(after):
        raise InvalidUser(NOBODY)
    return changes if after.email == user.email else {**changes, "confirmed": False}


def logged_in(now: datetime) -> UserChanges:
    """Note when the user logged in last."""
    return {"last_login": now}


def confirmed(user: User, link: Link) -> UserChanges | None:
    """Confirm the address that a link was sent to, if it is still the user's."""
    return {"confirmed": True} if link.may_confirm(user) and not user.confirmed else None


def rehashed(password_hash: Secret) -> UserChanges:
    """Keep the same password, hashed by the current scheme."""
    return {"password_hash": password_hash}


def given_password(user: User, password: PreparedPassword, password_hash: Secret) -> UserChanges:
    """Give another password. Raises `InvalidPassword` if it is a name that the user has by now."""
    check_names(password, user.names)
    return {"password_hash": password_hash, "epoch": NEXT}


def reset(user: User, link: Link, password: PreparedPassword, password_hash: Secret) -> UserChanges:
    """Give another password by a link, which proves the address that it was sent to, and spends it.

    Raises `InvalidToken`, `InvalidPassword`.
    """
    if not link.may_reset(user):
        raise InvalidToken
    return {**given_password(user, password, password_hash), "confirmed": user.email is not None}


def linked(user: User, identity: SocialIdentity) -> UserChanges | None:
    """Add an outside account. Raises `InvalidUser` beyond 100."""
    if identity in user.identities:
        return None
    if len(user.identities) >= MAX_IDENTITIES:
        raise InvalidUser(Problem("identities", "too_many", f"must be at most {MAX_IDENTITIES}"))
    return {"identities": (*user.identities, identity)}


def unlinked(user: User, identity: SocialIdentity) -> UserChanges | None:
    """Remove an outside account. Raises `LastCredential` if neither another one nor a password with a name is left."""
    if identity not in user.identities:
        return None
    left = tuple(each for each in user.identities if each != identity)
    by_password = user.password_hash is not None and (user.email is not None or user.username is not None)
    if not left and not by_password:
        raise LastCredential(user.id)
    return {"identities": left}


def kicked() -> UserChanges:
    """Void every token issued so far."""
    return {"epoch": NEXT}


def blacklisted(user: User) -> UserChanges | None:
    """Deactivate."""
    return {"active": False, "epoch": NEXT} if user.active else None


def reinstated(user: User) -> UserChanges | None:
    """Activate again; tokens issued before stay void."""
    return None if user.active else {"active": True}


def toggled(user: User) -> UserChanges:
    """Deactivate an active user, activate another."""
    return blacklisted(user) or {"active": True}


def permitted(user: User, permissions: frozenset[str]) -> UserChanges | None:
    """Replace the permissions, which tokens already issued may carry."""
    return None if permissions == user.permissions else {"permissions": permissions, "epoch": NEXT}


def permitted_also(user: User, more: frozenset[str]) -> UserChanges | None:
    """Add permissions. Raises `InvalidUser` beyond 1,000."""
    return permitted(user, read_permissions(user.permissions | more))


def permitted_no_longer(user: User, less: frozenset[str]) -> UserChanges | None:
    """Take permissions away."""
    return permitted(user, user.permissions - less)
