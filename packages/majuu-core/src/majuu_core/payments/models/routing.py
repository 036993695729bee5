"""Which provider account takes a payment, as the store wants it."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from majuu_core.common import clock, ids
from majuu_core.common.money import CURRENCY_CHOICES
from majuu_core.database.public_ids import PublicIdMixin
from majuu_core.merchants.models import ProviderAccount, Store


class RoutingRule(PublicIdMixin, models.Model):
    """Payments like this go to that account first. The rules of a store are read in the order of ``position``."""

    id_prefix = "rr"

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    store = models.ForeignKey(Store, on_delete=models.PROTECT, related_name="routing_rules")
    livemode = models.BooleanField()
    position = models.PositiveSmallIntegerField(default=0, help_text="The smallest is read first.")
    payment_method = models.CharField(max_length=32, blank=True, help_text="Only this method; empty: any.")
    currency = models.CharField(max_length=3, blank=True, choices=CURRENCY_CHOICES, help_text="Empty: any.")
    min_amount = models.DecimalField(max_digits=19, decimal_places=4, null=True, blank=True, help_text="Inclusive.")
    max_amount = models.DecimalField(max_digits=19, decimal_places=4, null=True, blank=True, help_text="Inclusive.")
    provider_account = models.ForeignKey(ProviderAccount, on_delete=models.PROTECT, related_name="routing_rules")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(min_amount__isnull=True) | Q(max_amount__isnull=True) | Q(max_amount__gte=F("min_amount")),
                name="majuu_routing_amounts",
            ),
            # An amount means nothing without its currency.
            models.CheckConstraint(
                condition=~Q(currency="") | Q(min_amount__isnull=True, max_amount__isnull=True),
                name="majuu_routing_currency",
            ),
        ]
        indexes = [models.Index(fields=["store", "livemode", "position"], name="majuu_routing_by_store")]

    def __str__(self) -> str:
        return f"{self.payment_method or 'any method'} to {self.provider_account}"
