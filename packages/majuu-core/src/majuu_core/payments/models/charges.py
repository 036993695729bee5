"""What a customer owes, every attempt to take it, every word with a provider."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.db import models
from django.db.models import F, Q

from majuu_core.common import clock, ids
from majuu_core.database.public_ids import PublicIdMixin
from majuu_core.merchants.models import ProviderAccount, Store
from majuu_core.payments.models.fields import money_field


class PaymentIntent(PublicIdMixin, models.Model):
    """What a customer owes a store: one per purchase, paid by one or more charges."""

    id_prefix = "pi"
    objects: ClassVar[models.Manager[PaymentIntent]]
    if TYPE_CHECKING:
        currency: str

    class Status(models.TextChoices):
        REQUIRES_PAYMENT_METHOD = "requires_payment_method", "Waiting for a payment method"
        PROCESSING = "processing", "Processing"
        REQUIRES_ACTION = "requires_action", "Waiting for the customer"
        REQUIRES_CAPTURE = "requires_capture", "Waiting for capture"
        SUCCEEDED = "succeeded", "Succeeded"
        CANCELED = "canceled", "Canceled"

    class CaptureMethod(models.TextChoices):
        AUTOMATIC = "automatic", "Automatic"
        MANUAL = "manual", "Manual"

    class CancellationReason(models.TextChoices):
        REQUESTED = "requested", "Requested by the shop"
        EXPIRED = "expired", "Expired"
        ABANDONED = "abandoned", "Abandoned by the customer"
        DUPLICATE = "duplicate", "Duplicate"

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    # Both lists below begin with it.
    store = models.ForeignKey(Store, on_delete=models.PROTECT, related_name="payment_intents", db_index=False)
    livemode = models.BooleanField()
    amount = money_field()
    amount_received = money_field()
    surplus = money_field()  # received beyond the amount; booked to the store's surplus account
    # Held by an authorized charge, not yet taken.
    amount_capturable = models.DecimalField(max_digits=19, decimal_places=4, default=0)
    # Given back for certain, of everything its charges brought.
    amount_refunded = models.DecimalField(max_digits=19, decimal_places=4, default=0)
    # The part of it that had never been applied: late or wrong amounts, which paid for nothing.
    refunded_unapplied = models.DecimalField(max_digits=19, decimal_places=4, default=0)
    status = models.CharField(max_length=32, choices=Status.choices, default=Status.REQUIRES_PAYMENT_METHOD)
    capture_method = models.CharField(max_length=16, choices=CaptureMethod.choices, default=CaptureMethod.AUTOMATIC)
    payment_methods = models.JSONField(default=list, help_text="Methods offered; empty means all that fit.")
    reference = models.CharField(max_length=64, blank=True, help_text="The shop's own order number.")
    description = models.CharField(max_length=255, blank=True)
    customer_email = models.CharField(max_length=254, blank=True)
    customer_phone = models.CharField(max_length=32, blank=True)
    # Both again in the one spelling by which a signed-in person finds their own payments: see payments/own_payments.py.
    customer_email_key = models.CharField(max_length=254, blank=True, editable=False)
    customer_phone_key = models.CharField(max_length=15, blank=True, editable=False)
    metadata = models.JSONField(default=dict)
    return_url = models.CharField(max_length=500, blank=True)
    link_token = models.CharField(max_length=32, editable=False, help_text="Opens the customer's page.")
    is_disputed = models.BooleanField(default=False, help_text="A dispute over it is open, or was lost.")
    is_parked = models.BooleanField(default=False, help_text="Money arrived that somebody must decide about.")
    parked_reason = models.CharField(max_length=255, blank=True)
    cancellation_reason = models.CharField(max_length=16, choices=CancellationReason.choices, blank=True)
    expires_at = models.DateTimeField()
    succeeded_at = models.DateTimeField(null=True)
    canceled_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["id", "livemode"], name="majuu_intent_mode"),
            # Not unique=True: PostgreSQL would get a second index, for LIKE, that nobody needs.
            models.UniqueConstraint(fields=["link_token"], name="majuu_intent_link_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="majuu_intent_amount_positive"),
            models.CheckConstraint(
                condition=Q(amount_received__gte=0, amount_received__lte=F("amount"), surplus__gte=0),
                name="majuu_intent_received_within_amount",
            ),
        ]
        indexes = [
            models.Index(fields=["store", "livemode", "-id"], name="majuu_intent_by_store"),
            models.Index(fields=["store", "reference"], name="majuu_intent_by_reference"),
            models.Index(
                fields=["expires_at"],
                condition=Q(status__in=["requires_payment_method", "processing", "requires_action"]),
                name="majuu_intent_expiring",
            ),
            models.Index(fields=["id"], condition=Q(is_parked=True), name="majuu_intent_parked"),
            # Partial, so that an intent without customer costs nothing; whole ones on MariaDB, which has no such.
            models.Index(
                fields=["customer_email_key"], condition=Q(customer_email_key__gt=""), name="majuu_intent_by_email"
            ),
            models.Index(
                fields=["customer_phone_key"], condition=Q(customer_phone_key__gt=""), name="majuu_intent_by_phone"
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


class Charge(PublicIdMixin, models.Model):
    """One attempt to take money for an intent at one provider. Never deleted, whatever the call did."""

    id_prefix = "ch"
    objects: ClassVar[models.Manager[Charge]]
    if TYPE_CHECKING:
        currency: str

    class Status(models.TextChoices):
        PENDING = "pending", "Pending"
        REQUIRES_ACTION = "requires_action", "Waiting for the customer"
        AUTHORIZED = "authorized", "Authorized"
        SUCCEEDED = "succeeded", "Succeeded"
        FAILED = "failed", "Failed"
        CANCELED = "canceled", "Canceled"
        UNKNOWN = "unknown", "Unknown"

    class DisputeStatus(models.TextChoices):
        NONE = "none", "Not disputed"
        OPEN = "open", "Disputed"
        WON = "won", "Dispute won"
        LOST = "lost", "Dispute lost"

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    payment_intent = models.ForeignKey(PaymentIntent, on_delete=models.PROTECT, related_name="charges")
    livemode = models.BooleanField()
    # The constraint on provider references begins with it.
    provider_account = models.ForeignKey(
        ProviderAccount, on_delete=models.PROTECT, related_name="charges", db_index=False
    )
    provider = models.CharField(max_length=32)
    payment_method = models.CharField(max_length=32)
    # A method the customer had saved before. Not indexed: charges are written far more often than it is asked for.
    saved_method = models.ForeignKey(
        "majuu_payments.SavedMethod", null=True, on_delete=models.PROTECT, related_name="charges", db_index=False
    )
    payer = models.CharField(max_length=80, blank=True, help_text="Phone number or name of who pays, as given.")
    amount = money_field()
    amount_received = money_field()
    fee = money_field()
    amount_refunded = models.DecimalField(max_digits=19, decimal_places=4, default=0)  # given back for certain
    status = models.CharField(max_length=32, choices=Status.choices, default=Status.PENDING)
    dispute_status = models.CharField(
        max_length=8, choices=DisputeStatus.choices, default=DisputeStatus.NONE, help_text="Of all its disputes."
    )
    provider_reference = models.CharField(max_length=128, null=True, blank=True)
    receipt = models.CharField(max_length=64, null=True, blank=True)
    failure_code = models.CharField(max_length=32, blank=True)
    provider_failure_code = models.CharField(max_length=64, blank=True)
    failure_message = models.CharField(max_length=500, blank=True)
    next_action = models.JSONField(null=True)
    hold_id = models.UUIDField(null=True, help_text="The pending ledger transfer of this attempt.")
    # An authorized charge: until when the provider holds the money, and what was asked of it since.
    capture_before = models.DateTimeField(null=True, help_text="When the provider lets the hold go.")
    amount_to_capture = models.DecimalField(
        max_digits=19, decimal_places=4, null=True, help_text="What was asked to be captured; empty: nothing yet."
    )
    capture_key = models.CharField(max_length=64, blank=True, help_text="The API request that captured it.")
    void_requested_at = models.DateTimeField(null=True, help_text="When the hold was asked to be let go.")
    hold_attempts = models.PositiveSmallIntegerField(default=0, help_text="How often a capture or void was asked for.")
    # What it pays of its intent, where the provider takes another currency than the intent's: once it has succeeded,
    # what it really paid, 0 for money that is parked.
    settles_amount = models.DecimalField(max_digits=19, decimal_places=4, null=True)
    fx_rate = models.DecimalField(max_digits=28, decimal_places=12, null=True, help_text="Charged for one owed.")
    fx_source = models.CharField(max_length=64, blank=True)
    is_parked = models.BooleanField(default=False)
    parked_reason = models.CharField(max_length=255, blank=True)
    follow_up_count = models.PositiveSmallIntegerField(default=0)
    follow_up_at = models.DateTimeField(null=True, help_text="When the provider is asked next.")
    request_key = models.CharField(max_length=64, blank=True, help_text="The API request that started it.")
    occurred_at = models.DateTimeField(null=True, help_text="When the money moved, as the provider says.")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["id", "livemode"], name="majuu_charge_mode"),
            models.UniqueConstraint(
                fields=["provider_account", "provider_reference"], name="majuu_charge_provider_reference_once"
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="majuu_charge_amount_positive"),
            models.CheckConstraint(
                condition=Q(amount_to_capture__isnull=True)
                | Q(amount_to_capture__gt=0, amount_to_capture__lte=F("amount")),
                name="majuu_charge_capture_within_amount",
            ),
            models.CheckConstraint(
                condition=Q(settles_amount__isnull=True, fx_rate__isnull=True)
                | Q(settles_amount__gte=0, fx_rate__gt=0),
                name="majuu_charge_exchanged",
            ),
        ]
        indexes = [
            models.Index(fields=["receipt"], condition=Q(receipt__isnull=False), name="majuu_charge_by_receipt"),
            models.Index(fields=["follow_up_at"], condition=Q(follow_up_at__isnull=False), name="majuu_charge_due"),
            models.Index(fields=["payer", "created_at"], name="majuu_charge_by_payer"),
            models.Index(
                fields=["provider_account", "occurred_at"],
                condition=Q(occurred_at__isnull=False),
                name="majuu_charge_by_day",
            ),
            models.Index(
                fields=["id"], condition=Q(is_parked=True) | Q(status="unknown"), name="majuu_charge_needs_a_person"
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


class ProviderCall(models.Model):
    """One HTTP exchange with a provider: redacted, timed, kept for the people who have to find out."""

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    provider_account = models.ForeignKey(ProviderAccount, on_delete=models.PROTECT, related_name="calls")
    charge = models.ForeignKey(Charge, null=True, on_delete=models.PROTECT, related_name="calls")
    about = models.CharField(max_length=40, blank=True, help_text="Public id of what else it was about.")
    operation = models.CharField(max_length=32)
    method = models.CharField(max_length=8)
    url = models.TextField()
    request_headers = models.JSONField(default=dict)
    request_body = models.TextField(blank=True)
    status = models.PositiveSmallIntegerField(null=True)
    response_body = models.TextField(blank=True)
    error = models.TextField(blank=True)
    started_at = models.DateTimeField()
    duration_ms = models.PositiveIntegerField()

    class Meta:
        indexes = [
            models.Index(fields=["charge", "started_at"], name="majuu_call_by_charge"),
            models.Index(fields=["about", "started_at"], condition=~Q(about=""), name="majuu_call_by_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.operation} {self.status or self.error}"
