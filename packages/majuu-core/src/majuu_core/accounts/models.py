"""What Majuu knows of a person beside Django's user: phone, country, language, and where they are signed in."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django_countries.fields import CountryField

from majuu_core.common import clock, ids
from majuu_core.database.public_ids import PublicIdMixin


class Profile(models.Model):
    """One for each user, made when it is first needed."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, primary_key=True, on_delete=models.CASCADE, related_name="majuu_profile"
    )
    phone = models.CharField(max_length=16, blank=True, help_text="In E.164: +254712345678.")
    phone_verified_at = models.DateTimeField(null=True, blank=True)
    country = CountryField(blank=True)
    language = models.CharField(max_length=8, blank=True, help_text="A code of LANGUAGES; empty: the browser's.")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        indexes = [models.Index(fields=["phone"], condition=Q(phone__gt=""), name="majuu_profile_by_phone")]

    def __str__(self) -> str:
        return f"profile of {self.user}"


class PhoneCode(models.Model):
    """The code that was sent to a person's number last. Good for that number alone, and gone once it has been shown."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, primary_key=True, on_delete=models.CASCADE, related_name="majuu_phone_code"
    )
    phone = models.CharField(max_length=16, help_text="Where it was sent, in E.164.")
    code_hash = models.CharField(max_length=64, editable=False)
    wrong_tries = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"code for {self.user}"


class UserSession(PublicIdMixin, models.Model):
    """One sign-in: where it was made, when it was last heard of, and the refresh token that is good now.

    Ending it ends the browser's session, or the app's access and refresh tokens, with the next request.
    """

    id_prefix = "ses"

    class Kind(models.TextChoices):
        BROWSER = "browser", "Browser"
        APP = "app", "App"

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="majuu_sessions")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    session_key = models.CharField(max_length=40, editable=False, help_text="Django's session as it began.")
    refresh_id = models.UUIDField(null=True, editable=False, help_text="The refresh token that is good now.")
    user_agent = models.CharField(max_length=200, blank=True)
    address = models.CharField(max_length=45, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    last_seen_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField(help_text="Never put off.")
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["user", "-id"], name="majuu_user_session_user")]

    def __str__(self) -> str:
        return self.public_id
