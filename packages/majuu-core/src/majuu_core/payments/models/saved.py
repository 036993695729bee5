"""Customers of a store, and the payment methods they left for later: the provider's tokens, never a card number."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from majuu_core.common import clock, ids
from majuu_core.database.public_ids import PublicIdMixin
from majuu_core.merchants.models import ProviderAccount, Store


class Customer(PublicIdMixin, models.Model):
    """Somebody who pays a store more than once."""

    id_prefix = "cus"

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    store = models.ForeignKey(Store, on_delete=models.PROTECT, related_name="customers", db_index=False)
    livemode = models.BooleanField()
    reference = models.CharField(max_length=64, null=True, blank=True, help_text="The shop's own number of them.")
    name = models.CharField(max_length=200, blank=True)
    email = models.CharField(max_length=254, blank=True)
    metadata = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["id", "livemode"], name="majuu_customer_mode"),
            models.UniqueConstraint(fields=["store", "livemode", "reference"], name="majuu_customer_reference_once"),
        ]
        indexes = [models.Index(fields=["store", "livemode", "-id"], name="majuu_customer_by_store")]

    def __str__(self) -> str:
        return self.name or self.reference or self.public_id


class SavedMethod(PublicIdMixin, models.Model):
    """One method of a customer at one provider account."""

    id_prefix = "pm"

    class Status(models.TextChoices):
        PENDING = "pending", "Being saved"
        REQUIRES_ACTION = "requires_action", "Waiting for the customer"
        ACTIVE = "active", "Ready to be charged"
        FAILED = "failed", "Not saved"
        REMOVED = "removed", "Removed"

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="saved_methods")
    provider_account = models.ForeignKey(
        ProviderAccount, on_delete=models.PROTECT, related_name="saved_methods", db_index=False
    )
    livemode = models.BooleanField()
    payment_method = models.CharField(max_length=32)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.PENDING)
    provider_reference = models.CharField(max_length=128, null=True, blank=True, help_text="Of the saving itself.")
    customer_reference = models.CharField(max_length=128, blank=True, help_text="The customer's id at the provider.")
    method_reference = models.CharField(max_length=128, blank=True, help_text="What payments name.")
    brand = models.CharField(max_length=32, blank=True)
    last4 = models.CharField(max_length=4, blank=True)
    expires = models.CharField(max_length=7, blank=True, help_text="Year and month.")
    failure_code = models.CharField(max_length=32, blank=True)
    provider_failure_code = models.CharField(max_length=64, blank=True)
    failure_message = models.CharField(max_length=500, blank=True)
    next_action = models.JSONField(null=True)
    follow_up_count = models.PositiveSmallIntegerField(default=0)
    follow_up_at = models.DateTimeField(null=True)
    request_key = models.CharField(max_length=64, blank=True, help_text="The API request that started it.")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider_account", "provider_reference"], name="majuu_saved_provider_reference_once"
            ),
            models.CheckConstraint(
                condition=~Q(status="active") | ~Q(method_reference=""), name="majuu_saved_active_has_reference"
            ),
        ]
        indexes = [
            models.Index(fields=["follow_up_at"], condition=Q(follow_up_at__isnull=False), name="majuu_saved_due")
        ]

    def __str__(self) -> str:
        return f"{self.brand or self.payment_method} …{self.last4}" if self.last4 else self.public_id
