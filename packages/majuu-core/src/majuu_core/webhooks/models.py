"""Webhooks: what providers tell us (inbound) and what we tell shops (outbound)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from majuu_core.common import clock, ids
from majuu_core.database.public_ids import PublicIdMixin
from majuu_core.events.models import Event
from majuu_core.merchants.models import ProviderAccount, Store
from majuu_core.payments.models import Charge


class InboundWebhook(PublicIdMixin, models.Model):
    """A provider's request to us: raw, untrusted, exactly as received.

    Every one ends as applied, duplicate, rejected or parked; parked ones are shown to staff with the reason.
    """

    id_prefix = "iwh"

    class State(models.TextChoices):
        RECEIVED = "received", "Waiting"
        APPLIED = "applied", "Applied"
        DUPLICATE = "duplicate", "Duplicate"
        REJECTED = "rejected", "Rejected"
        PARKED = "parked", "Parked"

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    provider_account = models.ForeignKey(ProviderAccount, null=True, on_delete=models.PROTECT, related_name="inbound")
    charge = models.ForeignKey(Charge, null=True, on_delete=models.PROTECT, related_name="inbound")
    subject_id = models.CharField(max_length=40, blank=True, help_text="Public id of what else its address belongs to.")
    topic = models.CharField(max_length=16, blank=True, help_text='The last part of its address, such as "timeout".')
    method = models.CharField(max_length=8)
    path = models.CharField(max_length=200, help_text="Without its secret.")
    query = models.JSONField(default=dict)
    headers = models.JSONField(default=dict)
    body = models.BinaryField()
    remote_addr = models.CharField(max_length=45)
    trust = models.CharField(max_length=16, blank=True)
    state = models.CharField(max_length=16, choices=State.choices, default=State.RECEIVED)
    reason = models.CharField(max_length=500, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    leased_until = models.DateTimeField(null=True)
    received_at = models.DateTimeField(default=clock.now, editable=False)
    processed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["next_attempt_at"], condition=Q(state="received"), name="majuu_inbound_waiting"),
            models.Index(fields=["state", "-id"], name="majuu_inbound_by_state"),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class InboundEvent(models.Model):
    """One event inside an inbound webhook. Unique per provider account: the second of its like is a duplicate."""

    inbound = models.ForeignKey(InboundWebhook, on_delete=models.PROTECT, related_name="events")
    # The constraint below begins with it.
    provider_account = models.ForeignKey(ProviderAccount, on_delete=models.PROTECT, related_name="+", db_index=False)
    event_id = models.CharField(max_length=255)
    type = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider_account", "event_id"], name="majuu_inbound_event_once")
        ]

    def __str__(self) -> str:
        return self.event_id


class WebhookEndpoint(PublicIdMixin, models.Model):
    """Where a shop wants to hear from us."""

    id_prefix = "we"

    class Status(models.TextChoices):
        ENABLED = "enabled", "Enabled"
        DISABLED = "disabled", "Disabled"
        ARCHIVED = "archived", "Deleted"

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="webhook_endpoints")
    livemode = models.BooleanField()
    url = models.CharField(max_length=500)
    description = models.CharField(max_length=255, blank=True)
    event_types = models.JSONField(default=list, help_text='Types such as "payment_intent.*"; empty means all.')
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.ENABLED)
    disabled_reason = models.CharField(max_length=255, blank=True)
    disabled_at = models.DateTimeField(null=True, blank=True)
    failing_since = models.DateTimeField(null=True, blank=True, help_text="First failure since the last success.")
    last_failure_at = models.DateTimeField(null=True, blank=True)
    notice_sent_at = models.DateTimeField(null=True, blank=True)
    throttled_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        indexes = [models.Index(fields=["store", "livemode", "status"], name="majuu_endpoint_by_store")]

    def __str__(self) -> str:
        return self.url


class WebhookSecret(models.Model):
    """A signing secret, encrypted. During a rotation an endpoint has two, and messages carry both signatures."""

    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="secrets")
    sealed = models.TextField(editable=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"secret of {self.endpoint_id}"


class WebhookDelivery(PublicIdMixin, models.Model):
    """One event on its way to one endpoint. This table is the truth: state, attempts, next time, lease."""

    id_prefix = "wd"

    class State(models.TextChoices):
        PENDING = "pending", "Waiting"
        SENDING = "sending", "Being sent"
        SUCCEEDED = "succeeded", "Delivered"
        FAILED = "failed", "Gave up"
        CANCELED = "canceled", "Canceled"

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    # Both keys are the start of an index below, so they need none of their own.
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="deliveries", db_index=False)
    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="deliveries", db_index=False)
    replay = models.PositiveSmallIntegerField(default=0, help_text="0 for the first delivery, then 1, 2, …")
    state = models.CharField(max_length=16, choices=State.choices, default=State.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    leased_until = models.DateTimeField(null=True)
    response_status = models.PositiveSmallIntegerField(null=True)
    last_error = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "webhook deliveries"
        constraints = [
            models.UniqueConstraint(fields=["event", "endpoint", "replay"], name="majuu_delivery_once"),
        ]
        indexes = [
            models.Index(fields=["endpoint", "-id"], name="majuu_delivery_by_endpoint"),
            # By endpoint first: the work of each is found without walking past the backlog of another.
            models.Index(
                fields=["endpoint", "next_attempt_at"], condition=Q(state="pending"), name="majuu_delivery_due"
            ),
            models.Index(fields=["leased_until"], condition=Q(state="sending"), name="majuu_delivery_leased"),
        ]

    def __str__(self) -> str:
        return f"{self.event} to {self.endpoint}"


class WebhookAttempt(models.Model):
    """One HTTP request to an endpoint, kept 30 days. Its number is unique per delivery, so none is sent twice."""

    delivery = models.ForeignKey(WebhookDelivery, on_delete=models.CASCADE, related_name="attempt_log", db_index=False)
    number = models.PositiveSmallIntegerField()
    response_status = models.PositiveSmallIntegerField(null=True)
    response_body = models.CharField(max_length=1000, blank=True)
    error = models.CharField(max_length=300, blank=True)
    duration_ms = models.PositiveIntegerField(null=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["delivery", "number"], name="majuu_attempt_once")]

    def __str__(self) -> str:
        return f"attempt {self.number} of {self.delivery_id}"
