"""Usernames."""

from __future__ import annotations

from functools import partial

from authx_core.domain import transitions
from authx_core.domain.errors import InvalidUser, Problem
from authx_core.domain.events import UsernameChanged
from authx_core.domain.policy import Policy
from authx_core.domain.profile import read_changes
from authx_core.domain.user import User, UserId
from authx_core.ports import Events, UserStore
from authx_core.use_cases.change import change


async def change_username(user_id: UserId, username: str, *, users: UserStore, events: Events, policy: Policy) -> User:
    """Give a user another name, or the same one in another spelling.

    Raises `InvalidUser`, `UsernameTaken`, `UserNotFound`.
    """
    if username is None:
        raise InvalidUser(Problem("username", "invalid", "must be text"))
    transition = partial(transitions.updated, changes=read_changes({"username": username}, policy))
    before, after = await change(user_id, transition, users=users, watch=("username",))
    if after.username is not None and after.username != before.username:
        await events.publish(UsernameChanged(user=after, old=before.username, new=after.username))
    return after
