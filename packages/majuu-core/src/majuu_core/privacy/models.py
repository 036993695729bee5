"""Holds: somebody must not be erased for now, because a court, the police or an auditor asked for what is known."""

from __future__ import annotations

from django.db import models

from majuu_core.common import clock, ids
from majuu_core.database.public_ids import PublicIdMixin


class RetentionHold(PublicIdMixin, models.Model):
    """One reason not to erase one person. Who it is stands here encrypted."""

    id_prefix = "hold"

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    person = models.TextField(editable=False, help_text="What they are known by, encrypted.")
    reason = models.CharField(max_length=255)
    placed_by = models.CharField(max_length=80)
    placed_at = models.DateTimeField(default=clock.now, editable=False)
    released_by = models.CharField(max_length=80, blank=True)
    released_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        permissions = [
            ("find_person", "Can look up what is known about a person"),
            ("export_person", "Can export a person's data"),
            ("erase_person", "Can erase a person's data"),
            ("hold_person", "Can place and release holds on a person's data"),
        ]
        indexes = [models.Index(fields=["released_at", "id"], name="majuu_hold_open")]

    def __str__(self) -> str:
        return self.public_id
