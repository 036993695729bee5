"""Who did what, to what, from where. Rows are only ever added; triggers refuse the rest."""

from __future__ import annotations

from django.db import models

from majuu_core.common import clock, ids
from majuu_core.database.public_ids import PublicIdMixin


class AuditEntry(PublicIdMixin, models.Model):
    """One action. ``merchant_id`` is empty for the platform's own. Stored ids, because this room lies below all."""

    id_prefix = "aud"

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    merchant_id = models.UUIDField(null=True)
    store_id = models.UUIDField(null=True)
    actor_type = models.CharField(max_length=16, help_text='"user", "key", "customer", "provider" or "system".')
    actor_id = models.CharField(max_length=64, blank=True)
    action = models.CharField(max_length=64)
    object_id = models.CharField(max_length=64)
    changes = models.JSONField(default=dict, help_text="Before and after of named fields.")
    remote_addr = models.CharField(max_length=45, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        verbose_name_plural = "audit entries"
        indexes = [
            models.Index(fields=["merchant_id", "-id"], name="majuu_audit_by_merchant"),
            models.Index(fields=["object_id"], name="majuu_audit_by_object"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.object_id}"
