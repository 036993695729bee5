"""Balances below their limit (``MAJUU_LOW_BALANCE``): one alert each time an account falls below."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from decimal import Decimal

from django.db.models import Q

from majuu_core.common.money import decimal_places
from majuu_core.configuration import LowBalance, limited_accounts, low_balances
from majuu_core.merchants.models import ProviderAccount
from majuu_core.payments.alerts import Trouble, keep_alerts
from majuu_core.payments.models import Alert, BalanceLine, BalanceSnapshot


def watch_balances(account: ProviderAccount) -> int:
    """Raise and clear the account's alerts by what was last reported. Returns how many changed."""
    latest = (
        BalanceSnapshot.objects.filter(provider_account=account, status=BalanceSnapshot.Status.REPORTED)
        .order_by("-pk")
        .prefetch_related("lines")
        .first()
    )
    lines = list(latest.lines.all()) if latest is not None and account.is_active else []
    within = Alert.objects.filter(provider_account=account)
    return keep_alerts(kind=Alert.Kind.LOW_BALANCE, troubles=_below(account, lines), within=within)


def watch_all_balances() -> int:
    """The same for every account with a limit or an open alert: settings may have changed since the last report."""
    open_ones = Alert.objects.filter(kind=Alert.Kind.LOW_BALANCE, open_key__isnull=False)
    accounts = ProviderAccount.objects.filter(pk__in=open_ones.values("provider_account_id"))
    if limited := limited_accounts():
        codes = {name for name in limited if not name.startswith("pa_")}
        ids = {key for name in limited - codes if (key := _key_of(name))}
        accounts |= ProviderAccount.objects.filter(Q(provider__in=codes) | Q(pk__in=ids), is_active=True)
    return sum(watch_balances(account) for account in accounts.select_related("store").order_by("pk"))


def _key_of(public_id: str) -> uuid.UUID | None:
    try:
        return ProviderAccount.uuid_of(public_id)
    except ValueError:
        return None


def _below(account: ProviderAccount, lines: list[BalanceLine]) -> Iterator[Trouble]:
    for currency in sorted({line.currency for line in lines}):
        mine = [line for line in lines if line.currency == currency]
        limits = low_balances(account_id=account.public_id, provider=account.provider, currency=currency)
        for limit in limits:
            amount = _spendable(mine, limit)
            if amount is not None and amount < limit.amount:
                yield _trouble(account, currency, limit, amount)


def _spendable(lines: list[BalanceLine], limit: LowBalance) -> Decimal | None:
    """What the limit is about; None when the report does not tell it. Accounts below zero hold charges, not money."""
    told = [line.current if line.available is None else line.available for line in lines]
    if not limit.name:
        return sum((amount for amount in told if amount > 0), Decimal(0))
    return next((amount for line, amount in zip(lines, told, strict=True) if line.name == limit.name), None)


def _trouble(account: ProviderAccount, currency: str, limit: LowBalance, amount: Decimal) -> Trouble:
    what = limit.name or "all accounts"
    places = decimal_places(currency)
    return Trouble(
        subject=f"{account.public_id}/{currency}/{limit.name}".rstrip("/"),
        title=f"Low balance: {account.name}, {what}",
        detail=f"{currency} {amount:,.{places}f} can be spent; the limit is {limit.amount:,.{places}f}. Top the "
        "account up, or payouts and refunds will fail.",
        livemode=account.livemode,
        account=account,
    )
