"""The books: what each provider holds for the shop by its own count, and what Majuu's ledger says it holds."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.core.management import call_command

from majuu_core.ledger.chart import AccountKind, AccountRef
from majuu_core.ledger.selectors import balance
from majuu_core.merchants.models import ProviderAccount
from majuu_core.providers import Trust
from majuu_core.webhooks.models import InboundWebhook
from sandbox_project.play.scene import NotSeen, Scene, read
from sandbox_project.play.wording import money

_FINAL = (InboundWebhook.State.APPLIED, InboundWebhook.State.DUPLICATE)
_CURRENCIES = {"mpesa": "KES", "stripe": "KES", "paypal": "USD"}
_NAMES = {"mpesa": "M-Pesa", "stripe": "Stripe", "paypal": "PayPal"}
# Stripe's events name what a payment cost by an id alone; where nothing else asks, the daily close books it. So Stripe
# is compared before fees.
_BEFORE_FEES = frozenset({"stripe"})
_PATIENCE = 30.0


def begin(scene: Scene) -> None:
    """Note what was there before: the books of an earlier demo go on, the simulators start anew."""
    for provider in _CURRENCIES:
        scene.before[provider] = (held(scene, provider), booked(scene, provider))
        scene.expected[provider] = Decimal(0)


def took(scene: Scene, provider: str, intent: str) -> None:
    """The intent was paid there: remember it for the agreement at the end."""
    scene.taken.append((provider, intent))


def heard_from(scene: Scene, provider: str, reference: str) -> InboundWebhook:
    """The message of a provider that names this reference, its signature verified, once it is dealt with."""
    account = ProviderAccount.uuid_of(scene.accounts[provider])
    rows = InboundWebhook.objects.filter(provider_account_id=account, trust=Trust.SIGNED).order_by("pk")

    def look() -> InboundWebhook | None:
        named = (row for row in rows.filter(state__in=_FINAL) if reference.encode() in bytes(row.body))
        return next(named, None)

    def missing() -> str:
        return f"messages of {provider}: {', '.join(f'{row.state} {row.reason}'.strip() for row in rows) or 'none'}"

    return scene.watch(look, seconds=30, missing=missing)


def see_ledger(scene: Scene) -> str:
    """``majuu_ledger verify`` recomputes every balance and finds nothing wrong."""
    output = io.StringIO()
    try:
        call_command("majuu_ledger", "verify", "--json", stdout=output)
    except SystemExit:
        raise NotSeen(f"majuu_ledger verify: {output.getvalue()[:600]}") from None
    found = json.loads(output.getvalue())
    if found["ok"] is not True or not found["transfers"]:
        raise NotSeen(f"majuu_ledger verify: {output.getvalue()[:600]}")
    counts = ", ".join(f"{number} {name}" for name, number in found.items() if isinstance(number, int) and name != "ok")
    return f"majuu_ledger verify: balanced ({counts})"


def see_agreement(scene: Scene) -> str:
    """What each provider took is what the books say it holds for the store: no more, no less."""
    lines = []
    for provider, currency in _CURRENCIES.items():
        found = scene.watch(
            lambda provider=provider: _agreed(scene, provider),  # type: ignore[misc]
            seconds=_PATIENCE,
            missing=lambda provider=provider: _disagreement(scene, provider),  # type: ignore[misc]
        )
        less = ", its fees left out" if provider in _BEFORE_FEES else ""
        amount = money(str(found), currency)
        lines.append(f"{_NAMES[provider]} holds {amount} more than before{less}, and so say the books")
    return "\n".join(lines)


def _agreed(scene: Scene, provider: str) -> Decimal | None:
    ours, theirs, wanted = _changes(scene, provider)
    return ours if ours == theirs == wanted else None


def _disagreement(scene: Scene, provider: str) -> str:
    ours, theirs, wanted = _changes(scene, provider)
    return f"{_NAMES[provider]} took {theirs}, the books say {ours}, customers paid {wanted} after fees and refunds"


def _changes(scene: Scene, provider: str) -> tuple[Decimal, Decimal, Decimal]:
    """By our books, by the provider's, and by what the steps have seen."""
    held_before, booked_before = scene.before[provider]
    paid, fees = _paid(scene, provider)
    ours, wanted = booked(scene, provider) - booked_before, scene.expected[provider] + paid
    if provider in _BEFORE_FEES:
        ours += fees
    else:
        wanted -= fees
    return ours, held(scene, provider) - held_before, wanted


def _paid(scene: Scene, provider: str) -> tuple[Decimal, Decimal]:
    """What customers paid in the steps, and what the provider kept of it as far as it has told."""
    intents = [read(scene.majuu, f"/api/v1/payment-intents/{intent}") for at, intent in scene.taken if at == provider]
    charges = [intent["latest_charge"] for intent in intents]
    paid = sum((Decimal(one["amount_received"]) for one in charges), Decimal(0))
    return paid, sum((Decimal(one["fee"]) for one in charges), Decimal(0))


def movements(scene: Scene) -> list[dict[str, Any]]:
    """All money that really moved at the simulated M-Pesa."""
    return list(read(scene.simulator, "/control/movements")["movements"])


def held(scene: Scene, provider: str) -> Decimal:
    """What the provider holds for the shop by its own books."""
    return _HELD[provider](scene)


def booked(scene: Scene, provider: str) -> Decimal:
    """What the provider holds for the shop by ours."""
    owner, currency = scene.accounts[provider], _CURRENCIES[provider]
    account = AccountRef(AccountKind.PROVIDER_CLEARING, owner, currency, livemode=False)
    return Decimal(balance(account).posted.amount)


def _held_by_mpesa(scene: Scene) -> Decimal:
    """What it took for the store less what it sent out, since the simulator was started."""
    signs = {"stk": 1, "c2b": 1, "b2c": -1, "reversal": -1}
    moved = (signs.get(row["kind"], 0) * Decimal(row["amount"]) for row in movements(scene))
    return sum(moved, Decimal(0))


def _held_by_stripe(scene: Scene) -> Decimal:
    """Every movement of the balance that Stripe's API lists, in cents, before its fees."""
    rows = read(scene.stripe, "/v1/balance_transactions?limit=100")["data"]
    return Decimal(sum(row["amount"] for row in rows if row["currency"] == "kes")) / 100


def _held_by_paypal(scene: Scene) -> Decimal:
    account = read(scene.paypal, "/control/state")["accounts"][0]
    return Decimal(account["balances"].get(_CURRENCIES["paypal"], "0"))


_HELD: dict[str, Callable[[Scene], Decimal]] = {
    "mpesa": _held_by_mpesa,
    "stripe": _held_by_stripe,
    "paypal": _held_by_paypal,
}
