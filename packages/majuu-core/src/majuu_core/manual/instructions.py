"""What a customer is told: plain lines for every reader, and the same one by one for a page that lays them out."""

from __future__ import annotations

from majuu_core.common.money import format_amount
from majuu_core.manual.credentials import ManualCredentials
from majuu_core.manual.references import grouped
from majuu_core.providers import NextAction, PaymentRequest

# The order in which people are asked for them, and what they are called.
BANK_LINES: tuple[tuple[str, str], ...] = (
    ("bank_name", "Bank"),
    ("branch", "Branch"),
    ("account_name", "Account name"),
    ("account_number", "Account number"),
    ("iban", "IBAN"),
    ("swift", "SWIFT"),
)


def instructions(account: ManualCredentials, request: PaymentRequest, reference: str) -> NextAction:
    """The next action of a payment. ``text`` says all of it; the other entries are its parts."""
    amount = f"{request.amount.currency.code} {format_amount(request.amount)}"
    parts = {"method": request.payment_method, "amount": amount}
    if request.payment_method == "cash":
        parts |= {"note": account.cash}
        lines = [account.cash]
    else:
        told = {name: str(getattr(account, name)) for name, _ in BANK_LINES if getattr(account, name)}
        parts |= told | ({"note": account.note} if account.note else {})
        lines = [f"{label}: {told[name]}" for name, label in BANK_LINES if name in told]
        lines += [account.note] if account.note else []
    lines += [f"Amount: {amount}", f"Reference: {grouped(reference)}"]
    data = {"text": "\n".join(lines), "reference": grouped(reference), **parts}
    return NextAction(type="display_instructions", data=data)
