"""One method an event, to override."""

from __future__ import annotations

from authx_core.domain import events


class Hooks:
    """Called with each event after its change is stored, before the callbacks. Override what you need."""

    async def on_user_created(self, event: events.UserCreated, /) -> None:
        """Hear that a user came into being."""

    async def on_user_updated(self, event: events.UserUpdated, /) -> None:
        """Hear that fields of a user were changed by `update`."""

    async def on_user_deleted(self, event: events.UserDeleted, /) -> None:
        """Hear that a user is gone."""

    async def on_username_changed(self, event: events.UsernameChanged, /) -> None:
        """Hear that a user has another username."""

    async def on_logged_in(self, event: events.LoggedIn, /) -> None:
        """Hear that a login and a password were right."""

    async def on_login_failed(self, event: events.LoginFailed, /) -> None:
        """Hear that a login failed, or was refused while logging in is locked."""

    async def on_brute_force_detected(self, event: events.BruteForceDetected, /) -> None:
        """Hear that a client or a login went over its limit."""

    async def on_email_confirmation_requested(self, event: events.EmailConfirmationRequested, /) -> None:
        """Hear that send this token to ``user.email``."""

    async def on_email_confirmed(self, event: events.EmailConfirmed, /) -> None:
        """Hear that the address of a user was proved."""

    async def on_password_reset_requested(self, event: events.PasswordResetRequested, /) -> None:
        """Hear that send this token to ``user.email``."""

    async def on_password_changed(self, event: events.PasswordChanged, /) -> None:
        """Hear that a user has another password."""

    async def on_token_refused(self, event: events.TokenRefused, /) -> None:
        """Hear that a link did not work."""

    async def on_social_linked(self, event: events.SocialLinked, /) -> None:
        """Hear that a user can log in by another outside account."""

    async def on_social_unlinked(self, event: events.SocialUnlinked, /) -> None:
        """Hear that a user can no longer log in by an outside account."""

    async def on_user_kicked(self, event: events.UserKicked, /) -> None:
        """Hear that all tokens of a user issued so far are void."""

    async def on_user_blacklisted(self, event: events.UserBlacklisted, /) -> None:
        """Hear that a user was deactivated."""

    async def on_user_reinstated(self, event: events.UserReinstated, /) -> None:
        """Hear that a blacklisted user is active again."""

    async def on_permissions_changed(self, event: events.PermissionsChanged, /) -> None:
        """Hear that a user has other permissions."""

    async def on_blackout_set(self, event: events.BlackoutSet, /) -> None:
        """Hear that tokens of everybody issued at or before ``cutoff`` are void."""

    async def on_blackout_lifted(self, event: events.BlackoutLifted, /) -> None:
        """Hear that the blackout is over."""
