"""What happened, for shops and plugins: the transactional outbox."""

from __future__ import annotations

from django.db import models

from majuu_core.common import clock, ids
from majuu_core.database.public_ids import PublicIdMixin


class Event(PublicIdMixin, models.Model):
    """Something that happened, written in the transaction that made it happen.

    ``store_id`` is a stored id, not a foreign key: this room lies below merchants. The worker turns an event without
    ``dispatched_at`` into deliveries and handler runs.
    """

    id_prefix = "evt"

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    store_id = models.UUIDField()
    livemode = models.BooleanField()
    type = models.CharField(max_length=64)
    object_id = models.CharField(max_length=64, help_text="Public id of what it is about.")
    data = models.JSONField()
    created_at = models.DateTimeField(default=clock.now, editable=False)
    dispatched_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["store_id", "livemode", "-id"], name="majuu_event_by_store"),
            models.Index(fields=["object_id"], name="majuu_event_by_object"),
            # MariaDB has no partial indexes and ignores the condition: slower to keep there, right all the same.
            models.Index(fields=["id"], condition=models.Q(dispatched_at=None), name="majuu_event_outbox"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.object_id}"


class HandlerRun(models.Model):
    """One plugin handler's work on one event: its own transaction, its own retries."""

    class State(models.TextChoices):
        PENDING = "pending", "Waiting"
        SUCCEEDED = "succeeded", "Done"
        FAILED = "failed", "Gave up"

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="handler_runs")
    handler = models.CharField(max_length=100)
    state = models.CharField(max_length=16, choices=State.choices, default=State.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    leased_until = models.DateTimeField(null=True)
    last_error = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["event", "handler"], name="majuu_handler_once")]
        indexes = [models.Index(fields=["state", "next_attempt_at"], name="majuu_handler_due")]

    def __str__(self) -> str:
        return f"{self.handler}: {self.event}"
