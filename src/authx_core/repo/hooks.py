"""A hook for each event: a method to override."""

# ruff: noqa: D401 - the docstring of a hook says when it is called
from __future__ import annotations

from authx_core.domain import events


class Hooks:
    """The hooks of `UsersRepo`: each is called after the change is stored, before the callbacks. Override any."""

    async def on_user_created(self, event: events.UserCreated, /) -> None:
        """Called after a user was created."""

    async def on_user_updated(self, event: events.UserUpdated, /) -> None:
        """Called after `update` changed fields of a user."""

    async def on_user_deleted(self, event: events.UserDeleted, /) -> None:
        """Called after a user was deleted."""

    async def on_username_changed(self, event: events.UsernameChanged, /) -> None:
        """Called after a user was given another username."""

    async def on_logged_in(self, event: events.LoggedIn, /) -> None:
        """Called after a user logged in with the right password."""

    async def on_login_failed(self, event: events.LoginFailed, /) -> None:
        """Called after an attempt to log in failed, or was refused while logging in is locked."""

    async def on_brute_force_detected(self, event: events.BruteForceDetected, /) -> None:
        """Called after a client or a login went over its limit, once for each lock."""

    async def on_email_confirmation_requested(self, event: events.EmailConfirmationRequested, /) -> None:
        """Called after a confirmation link was requested: send ``event.token`` to ``event.user.email``."""

    async def on_email_confirmed(self, event: events.EmailConfirmed, /) -> None:
        """Called after the address of a user was confirmed."""

    async def on_password_reset_requested(self, event: events.PasswordResetRequested, /) -> None:
        """Called after a reset link was requested: send ``event.token`` to ``event.user.email``."""

    async def on_password_changed(self, event: events.PasswordChanged, /) -> None:
        """Called after a user was given another password."""

    async def on_token_refused(self, event: events.TokenRefused, /) -> None:
        """Called after a link did not work."""

    async def on_social_linked(self, event: events.SocialLinked, /) -> None:
        """Called after an outside account was linked to a user."""

    async def on_social_unlinked(self, event: events.SocialUnlinked, /) -> None:
        """Called after an outside account was unlinked from a user."""

    async def on_user_kicked(self, event: events.UserKicked, /) -> None:
        """Called after every token of a user issued so far was voided."""

    async def on_user_blacklisted(self, event: events.UserBlacklisted, /) -> None:
        """Called after a user was deactivated."""

    async def on_user_reinstated(self, event: events.UserReinstated, /) -> None:
        """Called after a blacklisted user was activated again."""

    async def on_permissions_changed(self, event: events.PermissionsChanged, /) -> None:
        """Called after a user was given other permissions."""

    async def on_blackout_set(self, event: events.BlackoutSet, /) -> None:
        """Called after everybody's tokens issued at or before ``event.cutoff`` were voided."""

    async def on_blackout_lifted(self, event: events.BlackoutLifted, /) -> None:
        """Called after the blackout was lifted."""
