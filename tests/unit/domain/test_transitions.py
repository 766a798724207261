"""The changes that each operation makes to a user."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import attrs
import pytest

from authx_core import (
    NEXT,
    InvalidPassword,
    InvalidToken,
    InvalidUser,
    LastCredential,
    Secret,
    SocialIdentity,
    StaleUser,
    User,
)
from authx_core.domain import transitions
from authx_core.domain.link import Link
from authx_core.domain.password import PreparedPassword

NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)
GITHUB, GITLAB = SocialIdentity("github", "7"), SocialIdentity("gitlab", "7")
HASH = Secret("$hash$")
ANA = User(
    id="1",
    email="Ana@example.com",
    email_key="ana@example.com",
    username="ana",
    username_key="ana",
    permissions=frozenset({"read"}),
    identities=(GITHUB,),
    created_at=NOW,
    version=5,
    epoch=3,
)
BLACKLISTED = attrs.evolve(ANA, active=False)
CONFIRMED = attrs.evolve(ANA, confirmed=True)
LINK = Link("1", "Ana@example.com", 3)
PASSWORD = PreparedPassword("correct horse battery")


def test_a_kick_raises_only_the_epoch() -> None:
    assert transitions.kicked() == {"epoch": NEXT}


def test_blacklisting_raises_the_epoch_and_reinstating_does_not() -> None:
    assert transitions.blacklisted(ANA) == transitions.toggled(ANA) == {"active": False, "epoch": NEXT}
    assert transitions.reinstated(BLACKLISTED) == transitions.toggled(BLACKLISTED) == {"active": True}


def test_a_transition_to_the_present_state_changes_nothing() -> None:
    assert transitions.blacklisted(BLACKLISTED) is None
    assert transitions.reinstated(ANA) is None
    assert transitions.confirmed(CONFIRMED, LINK) is None
    assert transitions.linked(ANA, GITHUB) is None
    assert transitions.unlinked(ANA, GITLAB) is None
    assert transitions.permitted(ANA, frozenset({"read"})) is None
    assert transitions.permitted_also(ANA, frozenset({"read"})) is None
    assert transitions.permitted_no_longer(ANA, frozenset({"write"})) is None


def test_a_change_of_permissions_raises_the_epoch() -> None:
    both = frozenset({"read", "write"})
    assert transitions.permitted(ANA, both) == {"permissions": both, "epoch": NEXT}
    assert transitions.permitted_also(ANA, frozenset({"write"})) == {"permissions": both, "epoch": NEXT}
    assert transitions.permitted_no_longer(ANA, frozenset({"read"})) == {"permissions": frozenset(), "epoch": NEXT}


def test_permissions_are_bounded_however_they_are_added() -> None:
    with pytest.raises(InvalidUser, match="must be at most 1000"):
        transitions.permitted_also(ANA, frozenset(map(str, range(1000))))


def test_a_link_confirms_the_address_that_it_was_sent_to() -> None:
    assert transitions.confirmed(ANA, LINK) == {"confirmed": True}
    assert transitions.confirmed(attrs.evolve(ANA, epoch=4), LINK) == {"confirmed": True}
    for other in (BLACKLISTED, attrs.evolve(ANA, email="ana@example.com")):
        assert transitions.confirmed(other, LINK) is None


def test_a_new_password_raises_the_epoch() -> None:
    assert transitions.given_password(ANA, PASSWORD, HASH) == {"password_hash": HASH, "epoch": NEXT}
    assert transitions.rehashed(HASH) == {"password_hash": HASH}


def test_a_reset_confirms_the_address_that_its_link_was_sent_to() -> None:
    given = {"password_hash": HASH, "epoch": NEXT}
    assert transitions.reset(ANA, LINK, PASSWORD, HASH) == {**given, "confirmed": True}
    nameless = attrs.evolve(ANA, email=None, email_key=None)
    assert transitions.reset(nameless, Link("1", None, 3), PASSWORD, HASH) == {**given, "confirmed": False}


@pytest.mark.parametrize("other", [BLACKLISTED, attrs.evolve(ANA, epoch=4), attrs.evolve(ANA, email="eve@example.com")])
def test_a_reset_link_is_void_after_a_change_of_the_user(other: User) -> None:
    with pytest.raises(InvalidToken):
        transitions.reset(other, LINK, PASSWORD, HASH)


@pytest.mark.parametrize("field", ["email", "email_key", "username", "username_key"])
def test_a_password_must_not_be_a_present_name_of_the_user(field: str) -> None:
    name: dict[str, Any] = {field: PASSWORD.reveal().upper()}
    renamed = attrs.evolve(ANA, **name)
    with pytest.raises(InvalidPassword):
        transitions.given_password(renamed, PASSWORD, HASH)


def test_identities_are_linked_and_unlinked() -> None:
    assert transitions.linked(ANA, GITLAB) == {"identities": (GITHUB, GITLAB)}
    two = attrs.evolve(ANA, identities=(GITHUB, GITLAB))
    assert transitions.unlinked(two, GITHUB) == {"identities": (GITLAB,)}


def test_a_user_has_at_most_100_identities() -> None:
    full = attrs.evolve(ANA, identities=tuple(SocialIdentity("github", str(number)) for number in range(100)))
    with pytest.raises(InvalidUser, match="must be at most 100"):
        transitions.linked(full, GITLAB)


def test_the_last_way_to_log_in_cannot_be_unlinked() -> None:
    with pytest.raises(LastCredential):
        transitions.unlinked(ANA, GITHUB)
    with_password = attrs.evolve(ANA, password_hash=HASH)
    assert transitions.unlinked(with_password, GITHUB) == {"identities": ()}
    with pytest.raises(LastCredential):
        transitions.unlinked(attrs.evolve(with_password, email=None, username=None), GITHUB)


def test_a_changed_spelling_of_an_address_is_not_confirmed() -> None:
    assert transitions.updated(CONFIRMED, {"extra": {}}) == {"extra": {}}
    assert transitions.updated(CONFIRMED, {"email": "Ana@example.com"}) == {"email": "Ana@example.com"}
    assert transitions.updated(CONFIRMED, {"email": "ana@example.com"}) == {
        "email": "ana@example.com",
        "confirmed": False,
    }


def test_an_update_cannot_remove_the_last_name_or_identity() -> None:
    alone = attrs.evolve(ANA, email=None, email_key=None, identities=())
    with pytest.raises(InvalidUser, match="needs an e-mail address, a username or a social identity"):
        transitions.updated(alone, {"username": None, "username_key": None})
    assert transitions.updated(ANA, {"username": None}) == {"username": None}


def test_an_update_of_another_version_is_stale() -> None:
    assert transitions.updated(ANA, {"extra": {}}, version=5) == {"extra": {}}
    with pytest.raises(StaleUser):
        transitions.updated(ANA, {"extra": {}}, version=4)


def test_a_login_is_recorded() -> None:
    assert transitions.logged_in(NOW) == {"last_login": NOW}
