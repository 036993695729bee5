"""Payments that a customer's bank or a provider takes back, and what the store says against it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar

from django.db import models
from django.db.models import Q
from moneyed import Money

from majuu_core.common import clock, ids
from majuu_core.common.money import CURRENCY_CHOICES, currency_of
from majuu_core.database.public_ids import PublicIdMixin
from majuu_core.merchants.models import ProviderAccount, Store
from majuu_core.payments.models.charges import Charge
from majuu_core.payments.models.fields import money_field


class Dispute(PublicIdMixin, models.Model):
    """One dispute over a charge, as the provider tells of it. Its amount is in the currency the provider names.

    The columns ending in ``_told`` and ``_told_at`` hold the newest word on each fact, so that any order of messages
    ends in the same row; ``withdrawn`` follows from them.
    """

    id_prefix = "dp"
    objects: ClassVar[models.Manager[Dispute]]
    if TYPE_CHECKING:
        currency: str

    class Status(models.TextChoices):
        NEEDS_RESPONSE = "needs_response", "Needs an answer"
        UNDER_REVIEW = "under_review", "Under review"
        WON = "won", "Won"
        LOST = "lost", "Lost"
        ACCEPTED = "accepted", "Accepted"
        EXPIRED = "expired", "Expired"

    class Reason(models.TextChoices):
        FRAUDULENT = "fraudulent", "Fraudulent"
        NOT_RECEIVED = "not_received", "Not received"
        NOT_AS_DESCRIBED = "not_as_described", "Not as described"
        DUPLICATE = "duplicate", "Duplicate"
        CREDIT_NOT_PROCESSED = "credit_not_processed", "Credit not processed"
        CANCELED = "canceled", "Canceled"
        INCORRECT_AMOUNT = "incorrect_amount", "Incorrect amount"
        UNRECOGNIZED = "unrecognized", "Unrecognized"
        GENERAL = "general", "General"

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    # The list by store begins with it.
    store = models.ForeignKey(Store, on_delete=models.PROTECT, related_name="disputes", db_index=False)
    charge = models.ForeignKey(Charge, on_delete=models.PROTECT, related_name="disputes")
    # The constraint on provider references begins with it.
    provider_account = models.ForeignKey(
        ProviderAccount, on_delete=models.PROTECT, related_name="disputes", db_index=False
    )
    livemode = models.BooleanField()
    amount = money_field()
    status = models.CharField(max_length=16, choices=Status.choices)
    reason = models.CharField(max_length=32, choices=Reason.choices)
    provider_reason = models.CharField(max_length=128, blank=True, help_text="Exactly as the provider sent it.")
    provider_reference = models.CharField(max_length=128)
    respond_by = models.DateTimeField(null=True)
    told_at = models.DateTimeField(help_text="When the status became so, as the provider says.")
    withdrawn = models.DecimalField(
        max_digits=19, decimal_places=4, default=0, help_text="What the provider holds back now, fees apart."
    )
    withdrawn_told = models.DecimalField(max_digits=19, decimal_places=4, null=True)
    withdrawn_told_at = models.DateTimeField(null=True)
    withdrawn_told_with = models.CharField(max_length=16, blank=True, help_text="The status that word came with.")
    fee = models.DecimalField(max_digits=19, decimal_places=4, default=0, help_text="Kept for it until now, in all.")
    fee_currency = models.CharField(max_length=3, choices=CURRENCY_CHOICES, blank=True)
    fee_told_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    evidence_submitted_at = models.DateTimeField(null=True)
    accepted_at = models.DateTimeField(null=True)
    # Set while the provider is being called; a lost answer leaves it, and the follow-ups ask.
    submitting_at = models.DateTimeField(null=True)
    accepting_at = models.DateTimeField(null=True)
    is_parked = models.BooleanField(default=False)
    parked_reason = models.CharField(max_length=255, blank=True)
    noted_reason = models.CharField(max_length=255, blank=True, help_text="The doubt that somebody took note of.")
    follow_up_count = models.PositiveSmallIntegerField(default=0)
    follow_up_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        permissions = [("accept_dispute", "Can give in to a dispute")]
        constraints = [
            models.UniqueConstraint(
                fields=["provider_account", "provider_reference"], name="majuu_dispute_provider_reference_once"
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="majuu_dispute_amount_positive"),
            models.CheckConstraint(condition=Q(withdrawn__gte=0, fee__gte=0), name="majuu_dispute_not_below_zero"),
        ]
        indexes = [
            models.Index(fields=["store", "livemode", "-id"], name="majuu_dispute_by_store"),
            models.Index(fields=["follow_up_at"], condition=Q(follow_up_at__isnull=False), name="majuu_dispute_due"),
            models.Index(
                fields=["respond_by", "id"], condition=Q(status="needs_response"), name="majuu_dispute_to_answer"
            ),
            models.Index(fields=["id"], condition=Q(is_parked=True), name="majuu_dispute_parked"),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def is_open(self) -> bool:
        """Whether it is not decided yet."""
        return self.status in (self.Status.NEEDS_RESPONSE, self.Status.UNDER_REVIEW)

    @property
    def withdrawn_money(self) -> Money:
        """What the provider holds back now, fees apart."""
        return Money(self.withdrawn, self.amount.currency)

    @property
    def fee_money(self) -> Money | None:
        """What the provider kept for it until now; None when it told of no fee."""
        return Money(self.fee, currency_of(self.fee_currency)) if self.fee_currency else None

    @property
    def reserved(self) -> Decimal:
        """What must not be refunded because of it, in its own currency."""
        return max(self.amount.amount, self.withdrawn) if self.is_open else self.withdrawn

    def takes_evidence(self, now: datetime) -> bool:
        """Whether an answer can still be sent."""
        in_time = self.respond_by is None or now < self.respond_by
        return self.status == self.Status.NEEDS_RESPONSE and in_time


class DisputeEvidence(PublicIdMixin, models.Model):
    """One text or file for a dispute. ``field`` is the provider's own word for what it is."""

    id_prefix = "dpe"
    objects: ClassVar[models.Manager[DisputeEvidence]]

    class Kind(models.TextChoices):
        TEXT = "text", "Text"
        FILE = "file", "File"

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    dispute = models.ForeignKey(Dispute, on_delete=models.PROTECT, related_name="evidence")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    field = models.CharField(max_length=64)
    text = models.TextField(blank=True)
    name = models.CharField(max_length=200, blank=True, help_text="Of a file, as it was uploaded.")
    content_type = models.CharField(max_length=64, blank=True, help_text="Of a file, as its first bytes say.")
    content = models.BinaryField(null=True)
    size = models.PositiveIntegerField(default=0)
    content_hash = models.CharField(max_length=64, blank=True, help_text="SHA-256 of a file.")
    created_by = models.CharField(max_length=80, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(default=clock.now, editable=False)

    def __str__(self) -> str:
        return self.name or self.field


class DisputeWatch(models.Model):
    """Until when an account's provider was asked for disputes that its messages lost."""

    objects: ClassVar[models.Manager[DisputeWatch]]

    provider_account = models.OneToOneField(ProviderAccount, primary_key=True, on_delete=models.PROTECT)
    seen_until = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.provider_account_id)
