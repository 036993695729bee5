"""Invitations to a business."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from majuu_core.common import clock, ids
from majuu_core.database.public_ids import PublicIdMixin


class Invitation(PublicIdMixin, models.Model):
    """Somebody asked by e-mail to join a business. Only a keyed hash of the token in the mail is stored."""

    id_prefix = "inv"
    objects: ClassVar[models.Manager[Invitation]]

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    merchant = models.ForeignKey("majuu_merchants.Merchant", on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField(max_length=254)
    role = models.CharField(max_length=16, help_text="A Membership.Role.")
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    revoked_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(accepted_at__isnull=True) | Q(revoked_at__isnull=True), name="majuu_invitation_one_end"
            ),
            models.CheckConstraint(
                condition=Q(role__in=["owner", "developer", "finance", "viewer"]), name="majuu_invitation_role"
            ),
        ]
        indexes = [models.Index(fields=["merchant", "-id"], name="majuu_invitation_by_merchant")]

    def __str__(self) -> str:
        return self.public_id

    def is_open(self, now: datetime) -> bool:
        """Whether it can still be accepted."""
        return self.accepted_at is None and self.revoked_at is None and now < self.expires_at
