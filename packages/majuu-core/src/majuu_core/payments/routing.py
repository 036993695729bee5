"""Which account takes a payment, and which is next when it cannot.

Candidates are in the store's order (its own by priority, then the platform's). A rule of the store that fits puts its
account first; among accounts of one priority the one that has lately succeeded clearly more often goes first; one whose
provider does not answer goes last. A plugin's ``select_provider_account`` has the first word.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal

from django.core.cache import cache
from django.db.models import Count, Q

from majuu_core.audit.services import record_entry
from majuu_core.common import clock, ids
from majuu_core.common.problems import Invalid
from majuu_core.merchants.breaker import seconds_closed_to_calls
from majuu_core.merchants.models import ProviderAccount, Store
from majuu_core.payments.models import Charge, PaymentIntent, RoutingRule
from majuu_core.plugins.manager import decide
from majuu_core.providers import FailureCode, Result
from majuu_core.providers.installed import installed_providers

MOST_ATTEMPTS = 3  # accounts that are tried for one request
# Refused for certain, and not because of the customer: another account may do better.
_NOT_FOR_OTHERS = frozenset({"invalid_payment_data"})
_WINDOW = timedelta(hours=1)
_ENOUGH = 20  # attempts that say something
_CLEARLY = Decimal("0.1")
_KNOWN_FOR = 60  # seconds
_S = Charge.Status
# What says something about the account. A customer without money says nothing.
_ITS_FAULT = (FailureCode.PROCESSING_ERROR, FailureCode.DECLINED, FailureCode.EXPIRED)


def order_accounts(intent: PaymentIntent, method: str, candidates: Sequence[ProviderAccount]) -> list[ProviderAccount]:
    """The candidates in the order in which they are tried. A plugin's choice comes first of all."""
    if len(candidates) < 2:
        return _with_choice(intent, list(candidates))
    ranked = _by_success(candidates)
    wanted = [rule.provider_account_id for rule in _fitting_rules(intent, method)]
    by_rule = {key: position for position, key in reversed(list(enumerate(wanted)))}
    ranked.sort(key=lambda account: by_rule.get(account.pk, len(wanted)))
    ranked.sort(key=lambda account: seconds_closed_to_calls(account) > 0)
    return _with_choice(intent, ranked)


def may_try_another(result: Result) -> bool:
    """Whether another account may be tried: nothing was sent, or it was refused for certain and not by the customer."""
    failure = result.failure
    return (
        failure is not None
        and failure.code is FailureCode.PROCESSING_ERROR
        and failure.provider_code not in _NOT_FOR_OTHERS
    )


def create_routing_rule(
    *,
    store: Store,
    livemode: bool,
    provider_account: ProviderAccount,
    position: int = 0,
    payment_method: str = "",
    currency: str = "",
    min_amount: Decimal | None = None,
    max_amount: Decimal | None = None,
) -> RoutingRule:
    """Send payments like this to that account first. Raises Invalid for what can never fit."""
    if provider_account.livemode != livemode or provider_account.store_id not in (None, store.pk):
        text = "Choose an account of this store or of the platform, in the rule's mode."
        raise Invalid("routing_account_unusable", text, field="provider_account")
    registry = installed_providers()
    provider = registry.get(provider_account.provider) if provider_account.provider in registry else None
    if payment_method and (provider is None or provider.info.method(payment_method) is None):
        text = f"{provider_account.name} does not offer {payment_method[:32]!r}."
        raise Invalid("routing_method_unknown", text, field="payment_method")
    if not currency and (min_amount is not None or max_amount is not None):
        raise Invalid("routing_currency_missing", "Amounts need a currency.", field="currency")
    if min_amount is not None and max_amount is not None and max_amount < min_amount:
        raise Invalid("routing_amounts_swapped", "The largest amount is below the smallest.", field="max_amount")
    rule = RoutingRule.objects.create(
        store=store,
        livemode=livemode,
        provider_account=provider_account,
        position=position,
        payment_method=payment_method,
        currency=currency,
        min_amount=min_amount,
        max_amount=max_amount,
    )
    _audit(rule, "routing_rule.created")
    return rule


def delete_routing_rule(*, rule: RoutingRule) -> None:
    """Take a rule away. Payments that are under way keep their account."""
    _audit(rule, "routing_rule.deleted")
    rule.delete()


def success_rates(accounts: Sequence[uuid.UUID]) -> dict[uuid.UUID, Decimal]:
    """How much of the last hour's attempts succeeded, by account; only of accounts with enough of them."""
    since = ids.first_uuid(clock.now() - _WINDOW)
    rows = (
        Charge.objects.filter(pk__gte=since, provider_account__in=accounts)
        .order_by()
        .values("provider_account")
        .annotate(
            good=Count("pk", filter=Q(status=_S.SUCCEEDED)),
            bad=Count("pk", filter=Q(status=_S.FAILED, failure_code__in=_ITS_FAULT)),
        )
    )
    return {
        row["provider_account"]: Decimal(row["good"]) / (row["good"] + row["bad"])
        for row in rows
        if row["good"] + row["bad"] >= _ENOUGH
    }


def _by_success(candidates: Sequence[ProviderAccount]) -> list[ProviderAccount]:
    """Within one owner and priority, clearly better ones first; otherwise as they were."""
    groups: dict[tuple[bool, int], list[ProviderAccount]] = {}
    for account in candidates:
        groups.setdefault((account.store_id is None, account.priority), []).append(account)
    if all(len(group) == 1 for group in groups.values()):
        return list(candidates)
    rates = _known_rates([account.pk for account in candidates])
    return [account for group in groups.values() for account in _better_first(group, rates)]


def _better_first(group: Sequence[ProviderAccount], rates: Mapping[uuid.UUID, Decimal]) -> list[ProviderAccount]:
    best = max((rates[account.pk] for account in group if account.pk in rates), default=Decimal(0))
    return sorted(group, key=lambda account: best - rates.get(account.pk, best) > _CLEARLY)


def _known_rates(accounts: Sequence[uuid.UUID]) -> dict[uuid.UUID, Decimal]:
    key = "majuu:success:" + ids.encode_id(
        "rates", uuid.uuid5(uuid.NAMESPACE_OID, ",".join(map(str, sorted(accounts))))
    )
    found = cache.get(key)
    if found is None:
        found = {str(account): str(rate) for account, rate in success_rates(accounts).items()}
        cache.set(key, found, _KNOWN_FOR)
    return {uuid.UUID(account): Decimal(rate) for account, rate in found.items()}


def _fitting_rules(intent: PaymentIntent, method: str) -> list[RoutingRule]:
    amount = intent.amount.amount
    rules = RoutingRule.objects.filter(
        Q(payment_method="") | Q(payment_method=method),
        Q(currency="") | Q(currency=intent.currency),
        Q(min_amount__isnull=True) | Q(min_amount__lte=amount),
        Q(max_amount__isnull=True) | Q(max_amount__gte=amount),
        store_id=intent.store_id,
        livemode=intent.livemode,
        is_active=True,
    )
    return list(rules.order_by("position", "pk"))


def _with_choice(intent: PaymentIntent, ranked: list[ProviderAccount]) -> list[ProviderAccount]:
    chosen = decide("select_provider_account", payment_intent=intent, candidates=list(ranked))
    if chosen is None:
        return ranked
    # A plugin chooses among what may be used; it cannot bring in another store's account.
    if chosen not in ranked:
        raise RuntimeError(f"a plugin chose {chosen}, which is not offered for this payment")
    return [chosen, *(account for account in ranked if account != chosen)]


def _audit(rule: RoutingRule, action: str) -> None:
    shown = {
        "payment_method": rule.payment_method,
        "currency": rule.currency,
        "min_amount": str(rule.min_amount) if rule.min_amount is not None else "",
        "max_amount": str(rule.max_amount) if rule.max_amount is not None else "",
        "provider_account": rule.provider_account.public_id,
        "position": rule.position,
    }
    record_entry(
        action=action,
        object_id=rule.public_id,
        merchant_id=rule.store.merchant_id,
        store_id=rule.store_id,
        changes={name: [None, value] if action.endswith("created") else [value, None] for name, value in shown.items()},
    )
