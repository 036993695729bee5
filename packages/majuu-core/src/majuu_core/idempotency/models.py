"""Requests already seen, so that a repeat has one effect and the same answer."""

from __future__ import annotations

from django.db import models

from majuu_core.common import clock, ids


class IdempotencyKey(models.Model):
    """One key of one store and mode, with a hash of the request and, once finished, the answer.

    Kept at least 72 hours (promise P1).
    """

    class State(models.TextChoices):
        IN_PROGRESS = "in_progress", "In progress"
        FINISHED = "finished", "Finished"

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    store_id = models.UUIDField()
    livemode = models.BooleanField()
    key = models.CharField(max_length=255)
    request_hash = models.CharField(max_length=64)
    state = models.CharField(max_length=16, choices=State.choices, default=State.IN_PROGRESS)
    locked_until = models.DateTimeField(null=True, help_text="While in progress: when another may take over.")
    response_status = models.PositiveSmallIntegerField(null=True)
    response_body = models.TextField(blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store_id", "livemode", "key"], name="majuu_idempotency_once")]
        indexes = [models.Index(fields=["created_at"], name="majuu_idempotency_age")]

    def __str__(self) -> str:
        return self.key
