"""Money that arrives by itself, and who it belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.db import models
from django.db.models import Q

from majuu_core.common import clock, ids
from majuu_core.database.public_ids import PublicIdMixin
from majuu_core.merchants.models import ProviderAccount, Store
from majuu_core.payments.models.charges import Charge, PaymentIntent
from majuu_core.payments.models.fields import money_field


class IncomingPayment(PublicIdMixin, models.Model):
    """Money that reached a provider account without an intent. It starts owned by the platform's intake store.

    The same receipt is the same money, whichever channel told of it first: unique by provider, mode and receipt.
    """

    id_prefix = "in"
    objects: ClassVar[models.Manager[IncomingPayment]]
    if TYPE_CHECKING:
        currency: str

    class Status(models.TextChoices):
        SUCCEEDED = "succeeded", "Arrived"
        REFUTED = "refuted", "Never arrived, says the provider"
        REVERSED = "reversed", "Taken back"

    class Ownership(models.TextChoices):
        UNCLAIMED = "unclaimed", "Unclaimed"
        CLAIMED = "claimed", "Claimed by a store"
        CHARGE = "charge", "Belongs to a charge that told of it too"

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    provider_account = models.ForeignKey(ProviderAccount, on_delete=models.PROTECT, related_name="incoming_payments")
    provider = models.CharField(max_length=32)
    livemode = models.BooleanField()
    store = models.ForeignKey(
        Store, on_delete=models.PROTECT, related_name="incoming_payments", db_index=False, help_text="Who owns it now."
    )
    receipt = models.CharField(max_length=64)
    receiver = models.CharField(max_length=64, help_text="The shortcode or account the money went to.")
    channel = models.CharField(max_length=32, blank=True)
    amount = money_field()
    account_reference = models.CharField(max_length=64, blank=True, help_text="As the payer typed it.")
    payer_name = models.CharField(max_length=200, blank=True)
    payer_phone = models.CharField(max_length=32, blank=True)
    payer_phone_hash = models.CharField(max_length=128, blank=True)
    payer_phone_masked = models.CharField(max_length=128, blank=True)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.SUCCEEDED)
    ownership = models.CharField(max_length=16, choices=Ownership.choices, default=Ownership.UNCLAIMED)
    charge = models.ForeignKey(Charge, null=True, blank=True, on_delete=models.PROTECT, related_name="incoming")
    payment_intent = models.ForeignKey(
        PaymentIntent, null=True, blank=True, on_delete=models.PROTECT, related_name="incoming"
    )
    source = models.CharField(max_length=16, default="webhook", help_text="webhook, pull or statement.")
    verified_by = models.CharField(max_length=16, blank=True, help_text="How the provider confirmed it.")
    verified_at = models.DateTimeField(null=True, blank=True)
    check_reference = models.CharField(max_length=128, blank=True, help_text="The provider's id of our question.")
    follow_up_count = models.PositiveSmallIntegerField(default=0)
    follow_up_at = models.DateTimeField(null=True, help_text="When the provider is asked whether it arrived.")
    raw = models.TextField(blank=True, help_text="The message as it came.")
    occurred_at = models.DateTimeField()
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "livemode", "receipt"], name="majuu_incoming_receipt_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="majuu_incoming_amount_positive"),
        ]
        indexes = [
            models.Index(fields=["store", "livemode", "-id"], name="majuu_incoming_by_store"),
            models.Index(fields=["livemode", "-id"], condition=Q(ownership="unclaimed"), name="majuu_incoming_open"),
            models.Index(fields=["livemode", "account_reference"], name="majuu_incoming_by_reference"),
            models.Index(fields=["follow_up_at"], condition=Q(follow_up_at__isnull=False), name="majuu_incoming_due"),
        ]

    def __str__(self) -> str:
        return self.receipt


class Claim(PublicIdMixin, models.Model):
    """The exclusive right of one store to one receipt, for one purpose of its own. Undone by a second person only.

    ``active_key`` names the receipt while the claim stands and is NULL once it is undone: unique on every database.
    """

    id_prefix = "cl"
    objects: ClassVar[models.Manager[Claim]]

    class Method(models.TextChoices):
        MANUAL = "manual", "By the store"
        AUTOMATIC = "automatic", "By its suggestion's score"
        REFERENCE = "reference", "By its account reference"
        CHARGE = "charge", "The store's own charge, marked as used"

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    store = models.ForeignKey(Store, on_delete=models.PROTECT, related_name="claims")
    livemode = models.BooleanField()
    receipt = models.CharField(max_length=64)
    active_key = models.CharField(max_length=128, null=True, blank=True, editable=False)
    incoming = models.ForeignKey(
        IncomingPayment, null=True, blank=True, on_delete=models.PROTECT, related_name="claims"
    )
    charge = models.ForeignKey(Charge, null=True, blank=True, on_delete=models.PROTECT, related_name="claims")
    reference = models.CharField(max_length=64, blank=True, help_text="What the store uses the money for.")
    method = models.CharField(max_length=16, choices=Method.choices, default=Method.MANUAL)
    score = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Of the suggestion, 0 to 100.")
    reasons = models.JSONField(default=list)
    created_by = models.CharField(max_length=80, blank=True)
    undo_requested_by = models.CharField(max_length=80, blank=True)
    undo_requested_at = models.DateTimeField(null=True, blank=True)
    undo_reason = models.CharField(max_length=255, blank=True)
    undone_by = models.CharField(max_length=80, blank=True)
    undone_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["active_key"], name="majuu_claim_receipt_once")]
        indexes = [models.Index(fields=["store", "livemode", "-id"], name="majuu_claim_by_store")]

    def __str__(self) -> str:
        return f"{self.receipt} for {self.store}"
