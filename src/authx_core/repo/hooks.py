"""One method an event, to override."""

from __future__ import annotations

from authx_core.domain import events


class Hooks:
    """Called with each event after its change is stored, before the callbacks. Override what you need."""

    async def on_user_created(self, event: events.UserCreated, /) -> None:
        """A user came into being."""

    async def on_user_updated(self, event: events.UserUpdated, /) -> None:
        """Fields of a user were changed by `update`."""

    async def on_user_deleted(self, event: events.UserDeleted, /) -> None:
        """A user is gone."""

    async def on_username_changed(self, event: events.UsernameChanged, /) -> None:
        """A user has another username."""

    async def on_logged_in(self, event: events.LoggedIn, /) -> None:
        """A login and a password were right."""

    async def on_login_failed(self, event: events.LoginFailed, /) -> None:
        """A login or a password was wrong."""

    async def on_brute_force_detected(self, event: events.BruteForceDetected, /) -> None:
        """A client or a login went over its limit."""

    async def on_email_confirmation_requested(self, event: events.EmailConfirmationRequested, /) -> None:
        """Send this token to ``user.email``."""

    async def on_email_confirmed(self, event: events.EmailConfirmed, /) -> None:
        """The address of a user was proved."""

    async def on_password_reset_requested(self, event: events.PasswordResetRequested, /) -> None:
        """Send this token to ``user.email``."""

    async def on_password_changed(self, event: events.PasswordChanged, /) -> None:
        """A user has another password."""

    async def on_user_kicked(self, event: events.UserKicked, /) -> None:
        """All tokens of a user issued so far are void."""

    async def on_user_blacklisted(self, event: events.UserBlacklisted, /) -> None:
        """A user was deactivated."""

    async def on_user_reinstated(self, event: events.UserReinstated, /) -> None:
        """A blacklisted user is active again."""

    async def on_permissions_changed(self, event: events.PermissionsChanged, /) -> None:
        """A user has other permissions."""

    async def on_blackout_set(self, event: events.BlackoutSet, /) -> None:
        """Tokens of everybody issued at or before ``cutoff`` are void."""

    async def on_blackout_lifted(self, event: events.BlackoutLifted, /) -> None:
        """The blackout is over."""
