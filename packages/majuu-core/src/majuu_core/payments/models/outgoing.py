"""Money that leaves: given back to a customer, or sent to somebody."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.db import models
from django.db.models import Q

from majuu_core.common import clock, ids
from majuu_core.database.public_ids import PublicIdMixin
from majuu_core.merchants.models import ProviderAccount, Store
from majuu_core.payments.models.charges import Charge
from majuu_core.payments.models.fields import money_field


class Refund(PublicIdMixin, models.Model):
    """One return of money from a charge. Refunds that are not over count against what may still be refunded."""

    id_prefix = "re"
    objects: ClassVar[models.Manager[Refund]]
    if TYPE_CHECKING:
        currency: str

    class Status(models.TextChoices):
        PENDING = "pending", "Pending"
        SUCCEEDED = "succeeded", "Succeeded"
        FAILED = "failed", "Failed"
        CANCELED = "canceled", "Canceled"
        UNKNOWN = "unknown", "Unknown"

    class Source(models.TextChoices):
        MERCHANT = "merchant", "The shop"
        CONSOLE = "console", "The console"
        PROVIDER = "provider", "The provider's own dashboard"

    class BooksAs(models.TextChoices):
        REVERSAL = "reversal", "Reversal: the payment is undone"
        PAYOUT = "payout", "Payout: new money leaves"

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    # The list by store begins with it.
    store = models.ForeignKey(Store, on_delete=models.PROTECT, related_name="refunds", db_index=False)
    charge = models.ForeignKey(Charge, on_delete=models.PROTECT, related_name="refunds")
    provider_account = models.ForeignKey(
        ProviderAccount, on_delete=models.PROTECT, related_name="refunds", db_index=False
    )
    livemode = models.BooleanField()
    amount = money_field()
    fee = money_field()
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.PENDING)
    source = models.CharField(max_length=16, choices=Source.choices, default=Source.MERCHANT)
    reason = models.CharField(max_length=255, blank=True)
    method = models.CharField(max_length=32, blank=True, help_text="The way the money goes back.")
    method_reason = models.CharField(max_length=500, blank=True, help_text="Why this way was chosen.")
    books_as = models.CharField(max_length=16, choices=BooksAs.choices, default=BooksAs.REVERSAL)
    # Of a charge in another currency than its intent: what it takes back of what was settled, in the intent's currency.
    settles_amount = models.DecimalField(max_digits=19, decimal_places=4, null=True)
    destination = models.JSONField(default=dict, help_text="Where it goes, when it is paid out anew.")
    metadata = models.JSONField(default=dict)
    provider_reference = models.CharField(max_length=128, null=True, blank=True)
    receipt = models.CharField(max_length=64, null=True, blank=True)
    failure_code = models.CharField(max_length=32, blank=True)
    provider_failure_code = models.CharField(max_length=64, blank=True)
    failure_message = models.CharField(max_length=500, blank=True)
    hold_id = models.UUIDField(null=True, help_text="The pending ledger transfer.")
    is_parked = models.BooleanField(default=False)
    parked_reason = models.CharField(max_length=255, blank=True)
    follow_up_count = models.PositiveSmallIntegerField(default=0)
    follow_up_at = models.DateTimeField(null=True)
    request_key = models.CharField(max_length=64, blank=True, help_text="The API request that started it.")
    created_by = models.CharField(max_length=80, blank=True, help_text="Who asked for it, as audited.")
    occurred_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider_account", "provider_reference"], name="majuu_refund_provider_reference_once"
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="majuu_refund_amount_positive"),
        ]
        indexes = [
            models.Index(fields=["store", "livemode", "-id"], name="majuu_refund_by_store"),
            models.Index(fields=["provider_account", "occurred_at"], name="majuu_refund_by_day"),
            models.Index(fields=["receipt"], condition=Q(receipt__isnull=False), name="majuu_refund_by_receipt"),
            models.Index(fields=["follow_up_at"], condition=Q(follow_up_at__isnull=False), name="majuu_refund_due"),
        ]

    def __str__(self) -> str:
        return self.public_id


class PayoutBatch(PublicIdMixin, models.Model):
    """Payouts that were uploaded together, as a CSV file. The same file again is refused."""

    id_prefix = "pob"

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    store = models.ForeignKey(Store, on_delete=models.PROTECT, related_name="payout_batches")
    livemode = models.BooleanField()
    name = models.CharField(max_length=200)
    content_hash = models.CharField(max_length=64, editable=False, help_text="SHA-256 of the file.")
    rows = models.PositiveIntegerField()
    created_by = models.CharField(max_length=80, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        verbose_name_plural = "payout batches"
        constraints = [
            models.UniqueConstraint(fields=["store", "livemode", "content_hash"], name="majuu_payout_batch_once")
        ]

    def __str__(self) -> str:
        return self.name


class Payout(PublicIdMixin, models.Model):
    """Money sent out. Its reference is unique in its store and mode for ever: one debt is never paid twice."""

    id_prefix = "po"
    objects: ClassVar[models.Manager[Payout]]
    if TYPE_CHECKING:
        currency: str

    class Status(models.TextChoices):
        REQUIRES_APPROVAL = "requires_approval", "Waiting for a second person"
        PENDING = "pending", "Pending"
        SUCCEEDED = "succeeded", "Succeeded"
        FAILED = "failed", "Failed"
        CANCELED = "canceled", "Canceled"
        UNKNOWN = "unknown", "Unknown"

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    # The constraint on references begins with it.
    store = models.ForeignKey(Store, on_delete=models.PROTECT, related_name="payouts", db_index=False)
    batch = models.ForeignKey(PayoutBatch, null=True, blank=True, on_delete=models.PROTECT, related_name="payouts")
    provider_account = models.ForeignKey(
        ProviderAccount, on_delete=models.PROTECT, related_name="payouts", db_index=False
    )
    provider = models.CharField(max_length=32)
    livemode = models.BooleanField()
    reference = models.CharField(max_length=64, help_text="The shop's own number for this debt.")
    amount = money_field()
    fee = money_field()
    purpose = models.CharField(max_length=32, blank=True)
    destination = models.JSONField(default=dict)
    description = models.CharField(max_length=255, blank=True)
    metadata = models.JSONField(default=dict)
    # Who loses the money in the books: a ledger account as AccountRef writes it.
    source = models.CharField(max_length=128, help_text="The ledger account it is paid from.")
    status = models.CharField(max_length=32, choices=Status.choices, default=Status.PENDING)
    provider_reference = models.CharField(max_length=128, null=True, blank=True)
    receipt = models.CharField(max_length=64, null=True, blank=True)
    recipient_name = models.CharField(max_length=200, blank=True, help_text="As the provider names them.")
    failure_code = models.CharField(max_length=32, blank=True)
    provider_failure_code = models.CharField(max_length=64, blank=True)
    failure_message = models.CharField(max_length=500, blank=True)
    hold_id = models.UUIDField(null=True, help_text="The pending ledger transfer.")
    is_parked = models.BooleanField(default=False)
    parked_reason = models.CharField(max_length=255, blank=True)
    follow_up_count = models.PositiveSmallIntegerField(default=0)
    follow_up_at = models.DateTimeField(null=True)
    send_at = models.DateTimeField(null=True, help_text="When the worker sends it; null when it is not to be sent.")
    request_key = models.CharField(max_length=64, blank=True)
    created_by = models.CharField(max_length=80, blank=True, help_text="Who asked for it, as audited.")
    approved_by = models.CharField(max_length=80, blank=True, help_text="The second person.")
    approved_at = models.DateTimeField(null=True)
    occurred_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store", "livemode", "reference"], name="majuu_payout_reference_once"),
            models.UniqueConstraint(
                fields=["provider_account", "provider_reference"], name="majuu_payout_provider_reference_once"
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="majuu_payout_amount_positive"),
        ]
        indexes = [
            models.Index(fields=["store", "livemode", "-id"], name="majuu_payout_by_store"),
            models.Index(fields=["provider_account", "occurred_at"], name="majuu_payout_by_day"),
            models.Index(fields=["receipt"], condition=Q(receipt__isnull=False), name="majuu_payout_by_receipt"),
            models.Index(fields=["follow_up_at"], condition=Q(follow_up_at__isnull=False), name="majuu_payout_due"),
            models.Index(fields=["send_at"], condition=Q(send_at__isnull=False), name="majuu_payout_to_send"),
            models.Index(fields=["id"], condition=Q(status="requires_approval"), name="majuu_payout_to_approve"),
        ]

    def __str__(self) -> str:
        return self.public_id
