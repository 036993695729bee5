"""Customers' wallets, and what filled and emptied them.

No amount of a wallet stands here: its money is on a ledger account that the wallet owns. A deposit remembers what it
has credited, so that nothing is credited twice.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from moneyed import Money

from majuu_core.common import clock, ids
from majuu_core.common.money import CURRENCY_CHOICES, currency_of
from majuu_core.database.public_ids import PublicIdMixin
from majuu_core.ledger.chart import AccountKind, AccountRef
from majuu_core.merchants.models import Store
from majuu_core.payments.models import Charge, PaymentIntent, Payout


class Wallet(PublicIdMixin, models.Model):
    """A customer's spendable balance at one store, in one currency and mode."""

    id_prefix = "wal"
    objects: ClassVar[models.Manager[Wallet]]

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        FROZEN = "frozen", "Frozen"
        CLOSED = "closed", "Closed"

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    # The list by store begins with it.
    store = models.ForeignKey(Store, on_delete=models.PROTECT, related_name="wallets", db_index=False)
    livemode = models.BooleanField()
    currency = models.CharField(max_length=3, choices=CURRENCY_CHOICES)
    customer_reference = models.CharField(max_length=64, help_text="The shop's own number of the customer.")
    customer_name = models.CharField(max_length=200, blank=True)
    customer_phone = models.CharField(max_length=32, blank=True, help_text="Where withdrawals go by default.")
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.ACTIVE)
    status_reason = models.CharField(max_length=255, blank=True, help_text="Why it is frozen or closed.")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["id", "livemode"], name="majuu_wallet_mode"),
            models.UniqueConstraint(
                fields=["store", "livemode", "currency", "customer_reference"], name="majuu_wallet_customer_once"
            ),
        ]
        indexes = [models.Index(fields=["store", "livemode", "-id"], name="majuu_wallet_by_store")]

    def __str__(self) -> str:
        return self.customer_name or self.customer_reference

    @property
    def account(self) -> AccountRef:
        """The ledger account that holds its money."""
        return AccountRef(AccountKind.WALLET, self.public_id, self.currency, self.livemode)


class WalletDeposit(PublicIdMixin, models.Model):
    """Money on its way into a wallet: the intent that collects it, and how much of that has been credited."""

    id_prefix = "wdp"
    objects: ClassVar[models.Manager[WalletDeposit]]

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="deposits")
    livemode = models.BooleanField()
    payment_intent = models.OneToOneField(PaymentIntent, on_delete=models.PROTECT, related_name="wallet_deposit")
    credited = models.DecimalField(max_digits=19, decimal_places=4, default=0, help_text="Of the amount asked for.")
    credited_surplus = models.DecimalField(max_digits=19, decimal_places=4, default=0, help_text="Beyond it.")
    watch_until = models.DateTimeField(null=True, help_text="How long the worker looks after it by itself.")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(credited__gte=0, credited_surplus__gte=0), name="majuu_deposit_credits_not_negative"
            )
        ]
        indexes = [
            models.Index(fields=["watch_until"], condition=Q(watch_until__isnull=False), name="majuu_deposit_watched")
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def total_credited(self) -> Money:
        """Everything it has put into the wallet."""
        return Money(self.credited + self.credited_surplus, currency_of(self.wallet.currency))


class WalletPayment(PublicIdMixin, models.Model):
    """An intent, or a part of one, paid from a wallet."""

    id_prefix = "wpm"
    objects: ClassVar[models.Manager[WalletPayment]]

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="payments")
    livemode = models.BooleanField()
    charge = models.OneToOneField(Charge, on_delete=models.PROTECT, related_name="wallet_payment")
    created_at = models.DateTimeField(default=clock.now, editable=False)

    def __str__(self) -> str:
        return self.public_id


class WalletWithdrawal(PublicIdMixin, models.Model):
    """Money sent from a wallet to its customer. How far it is, its payout says."""

    id_prefix = "wwd"
    objects: ClassVar[models.Manager[WalletWithdrawal]]

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="withdrawals")
    livemode = models.BooleanField()
    payout = models.OneToOneField(Payout, on_delete=models.PROTECT, related_name="wallet_withdrawal")
    created_at = models.DateTimeField(default=clock.now, editable=False)

    def __str__(self) -> str:
        return self.public_id
