"""Finding and rewriting keys that the current rules would make differently."""

from __future__ import annotations

from typing import Any

import pytest

from authx_adapters.clock import ManualClock
from authx_adapters.memory import MemoryUserStore
from authx_core import User, UserQuery, run
from authx_core.use_cases import rekeying
from authx_core.use_cases.rekeying import Finding, examine, rekey


class Changing(MemoryUserStore):
    """A store in which another writer changes each user after every read."""

    async def get(self, user_id: str, /) -> User | None:
        user = await super().get(user_id)
        if user is not None:
            await super().update(user_id, {"epoch": user.epoch + 1})
        return user


def filled(*people: dict[str, Any], store: MemoryUserStore | None = None) -> MemoryUserStore:
    store = store or MemoryUserStore()
    for number, fields in enumerate(people):
        run(store.create(User(id=f"{number}", created_at=ManualClock().now(), **fields)))
    return store


def named(shown: str, key: str) -> dict[str, Any]:
    return {"username": shown, "username_key": key}


def verdicts(findings: list[Finding]) -> dict[str, tuple[str, tuple[str, ...]]]:
    return {each.user_id: (each.verdict, each.others) for each in findings}


def test_a_key_of_the_current_rules_is_not_a_finding() -> None:
    person = {"email": "Ana@example.org", "email_key": "ana@example.org"}
    assert run(examine(filled(named("Ana", "ana"), person, {}))) == []


def test_a_key_of_former_rules_would_change() -> None:
    (found,) = run(examine(filled(named("παπάς", "παπάς"))))
    expected = Finding(
        user_id="0", field="username", verdict="changes", shown="παπάς", stored="παπάς", key="παπάσ", others=()
    )
    assert found == expected


def test_users_collide_if_their_new_keys_are_equal_or_one_is_already_taken() -> None:
    """The second user's new key is already the third's; the last two get the same key."""
    store = filled(named("ς", "ς"), named("ΣΑΣ", "σας"), named("σας", "σασ"), named("ß", "ß"), named("ẞ", "ẞ"))
    assert verdicts(run(examine(store))) == {
        "0": ("changes", ()),
        "1": ("collides", ("2",)),
        "3": ("collides", ("4",)),
        "4": ("collides", ("3",)),
    }


def test_a_key_is_free_if_its_holder_gets_another() -> None:
    store = filled(named("Bob", "ana"), named("Ana", "x"))
    found = run(examine(store))
    assert verdicts(found) == {"0": ("changes", ()), "1": ("changes", ())}
    assert run(rekey(reversed(found), users=store)) == []
    assert [user.username_key for user in run(store.search(UserQuery(), limit=9))] == ["bob", "ana"]


def test_a_name_that_would_be_refused_keeps_its_key() -> None:
    store = filled(named(".", "."), {"email": "o’brien@example.org", "email_key": "o’brien@example.org"})
    found = run(examine(store))
    assert [(each.field, each.verdict, each.key) for each in found] == [
        ("username", "refused", None),
        ("email", "refused", None),
    ]
    assert found[0].reason == "needs a letter or a digit"
    assert run(rekey(found, users=store)) == found


def test_only_free_keys_are_written() -> None:
    store = filled(named("ς", "ς"), named("ΣΑΣ", "σας"), named("σας", "σασ"))
    left = run(rekey(run(examine(store)), users=store))
    assert verdicts(left) == {"1": ("collides", ("2",))}
    assert [user.username_key for user in run(store.search(UserQuery(), limit=9))] == ["σ", "σας", "σασ"]


def test_a_user_who_was_changed_or_deleted_meanwhile_is_left_alone() -> None:
    store = filled(named("ς", "ς"), named("ΣΑΣ", "σας"), named("ß", "ß"), store=Changing())
    found = run(examine(store))
    run(store.delete("1"))
    run(store.update("2", {"username": "Ana", "username_key": "ana"}))
    assert run(rekey(found, users=store)) == found
    assert run(store.get_by_username("ς")) is not None


def test_a_name_that_was_changed_meanwhile_keeps_its_key() -> None:
    store = filled(named("ς", "ς"))
    found = run(examine(store))
    run(store.update("0", {"username": "Ana", "username_key": "ana"}))
    assert run(rekey(found, users=store)) == found
    assert run(store.get_by_username("ana")) is not None


def test_two_users_who_would_swap_keys_are_left_alone() -> None:
    store = filled(named("Bob", "ana"), named("Ana", "bob"))
    found = run(examine(store))
    assert run(rekey(found, users=store)) == found


def test_every_page_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rekeying, "_PAGE", 2)
    assert len(run(examine(filled(*[named(f"ß{number}", f"ß{number}") for number in range(5)])))) == 5
