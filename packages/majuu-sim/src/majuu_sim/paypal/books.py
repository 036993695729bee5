"""The truth: every sum that moved in or out of an account, as a transaction search lists it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from majuu_sim.paypal.config import PaypalConfig
from majuu_sim.paypal.currencies import Amount
from majuu_sim.paypal.formats import iso

# PayPal's transaction event codes.
CHECKOUT, MASS_PAY, REFUND, REVERSAL = "T0006", "T0001", "T1107", "T1106"
REFUND_RETURNED, PAYOUT_RETURNED = "T1100", "T1115"
CHARGEBACK, CHARGEBACK_WON, CHARGEBACK_FEE, DISPUTE_FEE = "T1201", "T1202", "T0106", "T0114"
HOLD, HOLD_RELEASED = "T1110", "T1111"


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """Money that moved; negative went out."""

    id: str
    account: str  # client id
    code: str
    amount: Amount
    fee: Decimal = Decimal(0)  # negative: PayPal's
    at: datetime
    status: str = "S"  # S successful, P pending, D denied, V reversed
    reference_id: str = ""  # the transaction it belongs to
    invoice_id: str = ""
    custom_id: str = ""
    subject: str = ""
    balance: Decimal = Decimal(0)  # of the account in this currency afterwards

    def to_dict(self) -> dict[str, Any]:
        """For the control API."""
        return {
            "id": self.id,
            "account": self.account,
            "code": self.code,
            **self.amount.to_dict(),
            "fee": str(self.fee),
            "at": iso(self.at),
            "reference_id": self.reference_id,
            "invoice_id": self.invoice_id,
            "custom_id": self.custom_id,
            "balance": str(self.balance),
        }


class Books:
    """Movements and balances of every account."""

    def __init__(self, config: PaypalConfig) -> None:
        """Open the accounts with what the settings put there."""
        self._config = config
        self.movements: list[Movement] = []
        self._balances: dict[tuple[str, str], Decimal] = {}
        self._open()

    def clear(self) -> None:
        """Forget every movement and start with the opening balances."""
        self.movements.clear()
        self._balances.clear()
        self._open()

    def _open(self) -> None:
        for account in self._config.accounts:
            for currency, value in (account.balances or {}).items():
                self._balances[account.client_id, currency] = value

    def balance(self, client_id: str, currency: str) -> Decimal:
        """What an account holds in a currency."""
        return self._balances.get((client_id, currency), Decimal(0))

    def balances_of(self, client_id: str) -> dict[str, Decimal]:
        """What an account holds, by currency."""
        return {currency: value for (owner, currency), value in self._balances.items() if owner == client_id}

    def can_pay(self, client_id: str, amount: Amount) -> bool:
        """True when the account has so much, or has enough for anything."""
        account = self._config.find(client_id)
        endless = account is None or account.balances is None
        return endless or self.balance(client_id, amount.currency) >= amount.value

    def record(self, movement: Movement) -> Movement:
        """Move the money; returns the movement with the balance after it."""
        key = (movement.account, movement.amount.currency)
        after = self._balances.get(key, Decimal(0)) + movement.amount.value + movement.fee
        self._balances[key] = after
        made = replace(movement, balance=after)
        self.movements.append(made)
        return made
