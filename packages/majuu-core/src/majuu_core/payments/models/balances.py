"""What stands on the accounts behind a provider account, as the provider said at some time."""

from __future__ import annotations

from django.db import models

from majuu_core.common import clock, ids
from majuu_core.common.money import CURRENCY_CHOICES
from majuu_core.database.public_ids import PublicIdMixin
from majuu_core.merchants.models import ProviderAccount


class BalanceSnapshot(PublicIdMixin, models.Model):
    """One answer of a provider: every account it named. Asked for, it is answered now or by webhook."""

    id_prefix = "bal"

    class Status(models.TextChoices):
        REQUESTED = "requested", "Asked for"
        REPORTED = "reported", "Reported"
        FAILED = "failed", "Not answered"

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    provider_account = models.ForeignKey(
        ProviderAccount, on_delete=models.PROTECT, related_name="balance_snapshots", db_index=False
    )
    livemode = models.BooleanField()
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.REQUESTED)
    provider_reference = models.CharField(max_length=128, blank=True)
    message = models.CharField(max_length=300, blank=True)
    requested_at = models.DateTimeField(default=clock.now, editable=False)
    reported_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["provider_account", "-id"], name="majuu_balance_by_account")]

    def __str__(self) -> str:
        return self.public_id


class BalanceLine(models.Model):
    """One account of a snapshot. A null amount was not told."""

    snapshot = models.ForeignKey(BalanceSnapshot, on_delete=models.CASCADE, related_name="lines")
    name = models.CharField(max_length=100)
    currency = models.CharField(max_length=3, choices=CURRENCY_CHOICES)
    current = models.DecimalField(max_digits=19, decimal_places=4)
    available = models.DecimalField(max_digits=19, decimal_places=4, null=True)
    reserved = models.DecimalField(max_digits=19, decimal_places=4, null=True)
    uncleared = models.DecimalField(max_digits=19, decimal_places=4, null=True)

    def __str__(self) -> str:
        return f"{self.name} {self.current} {self.currency}"
