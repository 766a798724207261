"""A day in the life of the users, written once for blocking and asynchronous callers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from steps.accounts import rename, search, update_and_delete
from steps.entering import attack_from_a_client, attack_on_an_account, log_in, upgrade
from steps.links import confirm, forget_and_reset
from steps.management import blacklist, kick_and_black_out, permit

if TYPE_CHECKING:
    from authx_core import UsersRepo
    from stage import Stage

STEPS: Final = {
    "Logging in": log_in,
    "Old hashes": upgrade,
    "An attack on one account": attack_on_an_account,
    "An attack from one client": attack_from_a_client,
    "Confirming an address": confirm,
    "Another username": rename,
    "A forgotten password": forget_and_reset,
    "The blacklist": blacklist,
    "Kicks and the blackout": kick_and_black_out,
    "Permissions": permit,
    "Searching": search,
    "Changing and deleting": update_and_delete,
}


async def day(users: UsersRepo, stage: Stage) -> None:
    """Run every step, even if an earlier one failed."""
    for title, step in STEPS.items():
        with stage.report.step(title):
            await step(users, stage)
