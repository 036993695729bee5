"""Double-entry books: accounts, transactions, transfers, and the balances the database keeps from them.

Written only by ``services.py``. What the tables refuse beyond the constraints below, and the triggers that keep the
balances, stand in ``guards.py``.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from majuu_core.common import clock, ids
from majuu_core.common.money import CURRENCY_CHOICES, MAX_AMOUNT
from majuu_core.database.public_ids import PublicIdMixin


class LedgerAccount(PublicIdMixin, models.Model):
    """One account in one currency. Its id follows from kind, owner, currency and mode: known without a look-up."""

    id_prefix = "la"

    class Category(models.TextChoices):
        ASSET = "asset", "Asset"
        LIABILITY = "liability", "Liability"
        EQUITY = "equity", "Equity"
        INCOME = "income", "Income"
        EXPENSE = "expense", "Expense"

    id = models.UUIDField(primary_key=True, editable=False)
    kind = models.CharField(max_length=32)
    owner = models.CharField(max_length=64, help_text='Public id of the owner, or "platform".')
    category = models.CharField(max_length=16, choices=Category.choices)
    currency = models.CharField(max_length=3, choices=CURRENCY_CHOICES)
    livemode = models.BooleanField()
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "owner", "currency", "livemode"], name="majuu_ledger_account_once"),
            models.UniqueConstraint(fields=["id", "currency", "livemode"], name="majuu_ledger_account_currency"),
        ]
        indexes = [models.Index(fields=["owner"], name="majuu_ledger_by_owner")]

    def __str__(self) -> str:
        return f"{self.kind} {self.owner} {self.currency}"


class LedgerTransaction(PublicIdMixin, models.Model):
    """Transfers that belong together. ``key`` makes a repeat impossible."""

    id_prefix = "lt"

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    key = models.CharField(max_length=128)
    kind = models.CharField(max_length=32)
    reference = models.CharField(max_length=64, help_text="Public id of what caused it.")
    description = models.CharField(max_length=255, blank=True)
    livemode = models.BooleanField()
    # The database checks it together with the mode (guards.py), so a constraint of its own would be a second look-up.
    reverses = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="reversal", db_constraint=False
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["key"], name="majuu_transaction_key_once"),
            models.UniqueConstraint(fields=["id", "livemode"], name="majuu_transaction_mode"),
        ]
        indexes = [models.Index(fields=["reference"], name="majuu_ledger_by_reference")]

    def __str__(self) -> str:
        return f"{self.kind} {self.reference}"


class LedgerTransfer(models.Model):
    """One amount from a debit account to a credit account, both in its currency.

    The three keys without a constraint of their own are checked by composite foreign keys (guards.py).
    """

    class Phase(models.TextChoices):
        POSTED = "posted", "Posted"
        PENDING = "pending", "Pending (a hold)"
        POST_PENDING = "post_pending", "Posts a hold"
        VOID_PENDING = "void_pending", "Voids a hold"

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    transaction = models.ForeignKey(
        LedgerTransaction, on_delete=models.PROTECT, related_name="transfers", db_constraint=False
    )
    phase = models.CharField(max_length=16, choices=Phase.choices)
    debit_account = models.ForeignKey(
        LedgerAccount, on_delete=models.PROTECT, related_name="debits", db_constraint=False, db_index=False
    )
    credit_account = models.ForeignKey(
        LedgerAccount, on_delete=models.PROTECT, related_name="credits", db_constraint=False, db_index=False
    )
    amount = models.DecimalField(max_digits=19, decimal_places=4)
    currency = models.CharField(max_length=3, choices=CURRENCY_CHOICES)
    livemode = models.BooleanField()
    pending = models.OneToOneField(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="resolution",
        help_text="The hold this one resolves.",
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [
            # The upper bound also refuses NaN, which PostgreSQL holds to be greater than every number.
            models.CheckConstraint(
                condition=Q(amount__gt=0, amount__lte=MAX_AMOUNT), name="majuu_transfer_amount_positive"
            ),
            models.CheckConstraint(condition=~Q(debit_account=F("credit_account")), name="majuu_transfer_two_accounts"),
            models.CheckConstraint(
                condition=Q(phase__in=["posted", "pending"], pending=None)
                | Q(phase__in=["post_pending", "void_pending"], pending__isnull=False),
                name="majuu_transfer_resolves_a_hold",
            ),
        ]
        indexes = [
            models.Index(fields=["debit_account", "created_at"], name="majuu_transfer_debits"),
            models.Index(fields=["credit_account", "created_at"], name="majuu_transfer_credits"),
        ]

    def __str__(self) -> str:
        return f"{self.phase} {self.amount} {self.currency}"


class LedgerBalance(models.Model):
    """Running totals of one account in one slot, kept by triggers on transfers and by nothing else.

    Transactions that run at the same time write to different slots, so payments of one store do not queue behind one
    row; a balance is the sum of at most 64 rows. A slot's pending columns may be negative (a hold made in one slot and
    resolved in another): only the sum over the slots means something.
    """

    account = models.ForeignKey(LedgerAccount, on_delete=models.PROTECT, related_name="balances", db_index=False)
    slot = models.PositiveSmallIntegerField()
    debits_posted = models.DecimalField(max_digits=27, decimal_places=4, default=0)
    credits_posted = models.DecimalField(max_digits=27, decimal_places=4, default=0)
    debits_pending = models.DecimalField(max_digits=27, decimal_places=4, default=0)
    credits_pending = models.DecimalField(max_digits=27, decimal_places=4, default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "slot"], name="majuu_balance_slot_once")]

    def __str__(self) -> str:
        return f"{self.account_id} slot {self.slot}"
