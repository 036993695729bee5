"""The account's balance: every movement of it with its fee, converted where the account has no such bank account."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from majuu_sim.stripe.book import Book
from majuu_sim.stripe.config import StripeConfig
from majuu_sim.stripe.currencies import decimals
from majuu_sim.stripe.errors import Obj, StripeRefusal

CATEGORIES = {
    "charge": "charge",
    "refund": "refund",
    "refund_failure": "refund_failure",
    "adjustment": "dispute",
    "payout": "payout",
    "payout_failure": "payout_reversal",
}


class Till:
    """Writes balance transactions."""

    def __init__(self, config: StripeConfig) -> None:
        """Fees and rates are the settings'."""
        self._config = config

    def move(
        self, book: Book, kind: str, source: Obj, amount: int, *, fee: int | None = None, description: str | None = None
    ) -> Obj:
        """A balance transaction of ``amount`` (negative: out) in the currency of ``source``.

        A charge costs the usual fee unless one is given; anything else nothing unless one is given.
        """
        settled, currency, rate = self._settled(book, amount, source["currency"])
        if fee is None:
            fee = self.fee_of(settled) if kind == "charge" else 0
        now = book.now()
        pending = kind == "charge" and self._config.available_after > 0
        return book.add(
            {
                "id": book.new_id("txn"),
                "object": "balance_transaction",
                "amount": settled,
                "available_on": now + int(self._config.available_after) if pending else now,
                "balance_type": "payments",
                "created": now,
                "currency": currency,
                "description": description or source.get("description"),
                "exchange_rate": _as_number(rate),
                "fee": fee,
                "fee_details": _fee_details(fee, currency),
                "net": settled - fee,
                "reporting_category": CATEGORIES[kind],
                "source": source["id"],
                "status": "pending" if pending else "available",
                "type": kind,
            }
        )

    def check(self, book: Book, currency: str) -> None:
        """A refusal for a currency the account has neither a bank account nor a rate for."""
        self._settled(book, 0, currency)

    def fee_of(self, amount: int) -> int:
        """What a charge of this amount costs."""
        share = Decimal(amount) * self._config.fee_percent / 100
        return int(share.quantize(Decimal(1), ROUND_HALF_UP)) + self._config.fee_fixed

    def refresh(self, book: Book) -> None:
        """Make available what has waited long enough."""
        now = book.now()
        for one in book.where("balance_transaction", status="pending"):
            if one["available_on"] <= now:
                one["status"] = "available"

    def balance(self, book: Book) -> Obj:
        """The balance object."""
        self.refresh(book)
        sums: dict[str, dict[str, int]] = {"available": {}, "pending": {}}
        for one in book.all("balance_transaction"):
            part = sums[one["status"]]
            part[one["currency"]] = part.get(one["currency"], 0) + one["net"]
        used = sorted({*sums["available"], *sums["pending"]} or {book.account.default_currency})
        return {
            "object": "balance",
            **{
                name: [
                    {"amount": part.get(code, 0), "currency": code, "source_types": {"card": part.get(code, 0)}}
                    for code in used
                ]
                for name, part in sums.items()
            },
            "livemode": book.account.livemode,
        }

    def _settled(self, book: Book, amount: int, currency: str) -> tuple[int, str, Decimal | None]:
        account = book.account
        target = account.default_currency
        if not account.settles or currency in (*account.settles, target):
            return amount, currency, None
        rate = self._config.exchange_rates.get((currency, target))
        if rate is None:
            raise StripeRefusal(
                400, f"The account cannot settle {currency}: no exchange rate to {target} is set.", param="currency"
            )
        exact = Decimal(amount) * rate * Decimal(10) ** (decimals(target) - decimals(currency))
        return int(exact.quantize(Decimal(1), ROUND_HALF_UP)), target, rate


def _fee_details(fee: int, currency: str) -> list[Obj]:
    if fee == 0:
        return []
    return [
        {
            "amount": fee,
            "application": None,
            "currency": currency,
            "description": "Stripe processing fees",
            "type": "stripe_fee",
        }
    ]


def _as_number(rate: Decimal | None) -> float | None:
    return None if rate is None else float(rate)
