"""Reconciliation: what a provider says moved, the daily close, and every difference with its story.

Amounts are decimals in the currency's own unit and always positive; ``direction`` says which way the money went.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from majuu_core.common import clock, ids
from majuu_core.common.money import CURRENCY_CHOICES, Money
from majuu_core.database.public_ids import PublicIdMixin
from majuu_core.merchants.models import ProviderAccount


def _amount(**options: Any) -> Any:
    return models.DecimalField(max_digits=19, decimal_places=4, **options)


class Direction(models.TextChoices):
    """Which way money went, as the account sees it."""

    IN = "in", "In"
    OUT = "out", "Out"


class Settlement(PublicIdMixin, models.Model):
    """One statement of a provider account: a file somebody uploaded, or what the provider listed."""

    id_prefix = "set"

    class Source(models.TextChoices):
        UPLOAD = "upload", "Uploaded file"
        PULL = "pull", "Asked for: money that came in"
        SETTLEMENTS = "settlements", "Asked for: the whole statement"

    class State(models.TextChoices):
        STAGED = "staged", "Waiting for a yes"
        IMPORTED = "imported", "Imported"
        REFUSED = "refused", "Could not be read"
        DISCARDED = "discarded", "Discarded"

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    # The index below begins with it.
    provider_account = models.ForeignKey(
        ProviderAccount, on_delete=models.PROTECT, related_name="settlements", db_index=False
    )
    livemode = models.BooleanField()
    source = models.CharField(max_length=16, choices=Source.choices)
    file_name = models.CharField(max_length=200, blank=True)
    content_hash = models.CharField(max_length=64, blank=True, editable=False, help_text="SHA-256 of the file.")
    size = models.PositiveBigIntegerField(default=0, help_text="Bytes.")
    covers_from = models.DateTimeField(null=True, help_text="From then on, what is not on it did not happen.")
    covers_until = models.DateTimeField(null=True)
    state = models.CharField(max_length=16, choices=State.choices, default=State.STAGED)
    message = models.CharField(max_length=1000, blank=True)
    rows = models.PositiveIntegerField(default=0)
    new_lines = models.PositiveIntegerField(default=0)
    known_lines = models.PositiveIntegerField(default=0)
    changed_lines = models.PositiveIntegerField(default=0)
    unreadable_rows = models.PositiveIntegerField(default=0)
    left_out_rows = models.PositiveIntegerField(default=0, help_text="Read, and no money moved in them.")
    problems = models.JSONField(default=list, help_text="The first unreadable rows, by row and column.")
    changes = models.JSONField(default=list, help_text="The first lines that are not as they were before.")
    created_by = models.CharField(max_length=80, blank=True, help_text="Who brought it, as audited.")
    imported_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["id", "livemode"], name="majuu_settlement_mode")]
        indexes = [
            models.Index(fields=["provider_account", "state", "covers_from"], name="majuu_settlement_coverage"),
        ]

    def __str__(self) -> str:
        return self.file_name or f"{self.get_source_display()} {self.created_at:%Y-%m-%d %H:%M}"


class SettlementPart(models.Model):
    """A piece of an uploaded file, as it came. The preview and the import read the very same bytes."""

    settlement = models.ForeignKey(Settlement, on_delete=models.CASCADE, related_name="parts", db_index=False)
    number = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["settlement", "number"], name="majuu_settlement_part_once")]

    def __str__(self) -> str:
        return f"{self.settlement_id} {self.number}"


class SettlementLine(models.Model):
    """One posting of a provider. The same posting is one line, however many statements show it.

    ``receipt`` is what it is compared by: the receipt, or whatever else the provider calls the money by. ``leg`` counts
    postings that have receipt, kind and direction in common and are not the same: a second one is money that moved
    twice under one receipt. ``line_id`` is the provider's own id of the posting, where it gives one.
    """

    class Kind(models.TextChoices):
        CHARGE = "charge", "Payment"
        REFUND = "refund", "Refund"
        FEE = "fee", "Fee"
        PAYOUT = "payout", "Payout"
        DISPUTE = "dispute", "Dispute"
        ADJUSTMENT = "adjustment", "Other movement"

    class Outcome(models.TextChoices):
        OPEN = "", "Not closed yet"
        MATCHED = "matched", "Matched"
        MISSING_HERE = "missing_here", "Missing here"
        AMOUNT_DIFFERS = "amount_differs", "Amount differs"
        DUPLICATE = "duplicate", "Duplicate"

    settlement = models.ForeignKey(Settlement, on_delete=models.PROTECT, related_name="lines")
    seen_in = models.ForeignKey(
        Settlement, on_delete=models.PROTECT, related_name="+", help_text="The latest statement that shows it."
    )
    # The constraint and the index below begin with it.
    provider_account = models.ForeignKey(
        ProviderAccount, on_delete=models.PROTECT, related_name="settlement_lines", db_index=False
    )
    livemode = models.BooleanField()
    day = models.DateField(help_text="In the account's own time zone.")
    receipt = models.CharField(max_length=64)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    direction = models.CharField(max_length=3, choices=Direction.choices)
    leg = models.PositiveSmallIntegerField(default=1)
    amount = _amount()
    currency = models.CharField(max_length=3, choices=CURRENCY_CHOICES)
    fee = _amount(null=True)
    balance_after = _amount(null=True)
    occurred_at = models.DateTimeField()
    counterparty = models.CharField(max_length=200, blank=True)
    description = models.CharField(max_length=300, blank=True)
    reference = models.CharField(max_length=64, blank=True)
    linked_receipt = models.CharField(max_length=64, blank=True)
    line_id = models.CharField(max_length=64, null=True, blank=True)
    object_id = models.CharField(max_length=40, blank=True, help_text="Our public id, as the provider repeats it.")
    provider_reference = models.CharField(max_length=128, blank=True)
    payout_reference = models.CharField(max_length=64, blank=True, help_text="The payout to the bank that holds it.")
    presented_amount = _amount(null=True, help_text="What the customer paid, in the customer's own currency.")
    presented_currency = models.CharField(max_length=3, choices=CURRENCY_CHOICES, blank=True)
    raw = models.JSONField(default=dict)
    line_number = models.PositiveIntegerField()
    outcome = models.CharField(max_length=16, choices=Outcome.choices, blank=True, default=Outcome.OPEN)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider_account", "receipt", "kind", "direction", "leg"], name="majuu_settlement_line_once"
            ),
            models.UniqueConstraint(fields=["provider_account", "line_id"], name="majuu_settlement_line_id_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="majuu_settlement_line_positive"),
        ]
        indexes = [
            models.Index(fields=["provider_account", "day", "receipt"], name="majuu_settlement_line_by_day"),
            models.Index(fields=["provider_account", "object_id"], name="majuu_line_by_object"),
            models.Index(fields=["provider_account", "provider_reference"], name="majuu_line_by_reference"),
            models.Index(fields=["provider_account", "payout_reference"], name="majuu_line_by_payout"),
            models.Index(
                fields=["id"],
                condition=Q(kind="payout", payout_reference__gt=""),
                name="majuu_line_bank_payout",
            ),
        ]

    @property
    def money(self) -> Money:
        """The amount with its currency."""
        return Money(self.amount, self.currency)

    @property
    def presented(self) -> Money | None:
        """What the customer paid or got back, where that was another currency."""
        return None if self.presented_amount is None else Money(self.presented_amount, self.presented_currency)

    def __str__(self) -> str:
        return self.receipt


class BankPayouts(models.Manager["BankPayout"]):
    """Only these lines, along an index of their own."""

    def get_queryset(self) -> models.QuerySet[BankPayout]:
        return super().get_queryset().filter(kind=SettlementLine.Kind.PAYOUT, payout_reference__gt="")


class BankPayout(SettlementLine):
    """A line of the provider's list that is money sent to the bank, or money that came back from there."""

    objects: ClassVar[BankPayouts] = BankPayouts()

    class Meta:
        proxy = True

    def __str__(self) -> str:
        return self.payout_reference


class Close(PublicIdMixin, models.Model):
    """One day of one account, compared three ways. Closing it again is always allowed and changes only what changed."""

    id_prefix = "cls"

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting for the worker"
        RUNNING = "running", "Running"
        DONE = "done", "Closed"
        FAILED = "failed", "Failed"

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    # The constraint below begins with it.
    provider_account = models.ForeignKey(
        ProviderAccount, on_delete=models.PROTECT, related_name="closes", db_index=False
    )
    livemode = models.BooleanField()
    day = models.DateField()
    time_zone = models.CharField(max_length=64)
    state = models.CharField(max_length=16, choices=State.choices, default=State.WAITING)
    has_statement = models.BooleanField(default=False, help_text="A whole statement of the day is there.")
    runs = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0, help_text="Lines and payments looked at in this run.")
    expected = models.PositiveIntegerField(default=0)
    totals = models.JSONField(default=dict, help_text="What ledger, statement and events say.")
    outcomes = models.JSONField(default=dict, help_text="How many ended in which way.")
    message = models.CharField(max_length=500, blank=True)
    leased_until = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider_account", "day"], name="majuu_close_once"),
            models.UniqueConstraint(fields=["id", "livemode"], name="majuu_close_mode"),
        ]
        indexes = [models.Index(fields=["day"], condition=Q(state="waiting"), name="majuu_close_waiting")]

    @property
    def percent(self) -> int:
        """How far the run is, 0 to 100."""
        if self.state == self.State.DONE:
            return 100
        return min(99, self.done * 100 // self.expected) if self.expected else 0

    def __str__(self) -> str:
        return f"{self.day:%Y-%m-%d} {self.provider_account.name}"


class Mismatch(PublicIdMixin, models.Model):
    """One difference that a close found. It ages until somebody resolves it, or a later run finds it gone."""

    id_prefix = "mis"

    class Kind(models.TextChoices):
        MISSING_HERE = "missing_here", "Missing here"
        MISSING_THERE = "missing_there", "Missing there"
        AMOUNT_DIFFERS = "amount_differs", "Amount differs"
        DUPLICATE = "duplicate", "Duplicate"

    class State(models.TextChoices):
        OPEN = "open", "Open"
        ASSIGNED = "assigned", "Assigned"
        RESOLVED = "resolved", "Resolved"

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    # The constraint below begins with it.
    close = models.ForeignKey(Close, on_delete=models.PROTECT, related_name="mismatches", db_index=False)
    provider_account = models.ForeignKey(ProviderAccount, on_delete=models.PROTECT, related_name="mismatches")
    livemode = models.BooleanField()
    key = models.CharField(max_length=160, editable=False, help_text="The same difference has the same key.")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    direction = models.CharField(max_length=3, choices=Direction.choices)
    receipt = models.CharField(max_length=64, blank=True)
    line = models.ForeignKey(SettlementLine, null=True, on_delete=models.PROTECT, related_name="mismatches")
    object_id = models.CharField(max_length=40, blank=True, help_text="Public id of what we have.")
    here = _amount(null=True, help_text="What our books say.")
    there = _amount(null=True, help_text="What the statement says.")
    currency = models.CharField(max_length=3, choices=CURRENCY_CHOICES)
    detail = models.CharField(max_length=300, blank=True)
    occurred_at = models.DateTimeField()
    state = models.CharField(max_length=16, choices=State.choices, default=State.OPEN)
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    resolution = models.CharField(max_length=500, blank=True, help_text="Why it is settled.")
    resolved_by = models.CharField(max_length=80, blank=True, help_text="Who said so; empty: it disappeared.")
    resolved_at = models.DateTimeField(null=True)
    seen_in_run = models.PositiveIntegerField(default=0, editable=False)
    opened_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        verbose_name_plural = "mismatches"
        constraints = [models.UniqueConstraint(fields=["close", "key"], name="majuu_mismatch_once")]
        indexes = [
            models.Index(fields=["state", "-id"], name="majuu_mismatch_by_state"),
            models.Index(fields=["receipt"], name="majuu_mismatch_by_receipt"),
        ]

    @property
    def age(self) -> timedelta:
        """How long it has been open, or was until it was resolved."""
        return (self.resolved_at or clock.now()) - self.opened_at

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.receipt or self.object_id}"
