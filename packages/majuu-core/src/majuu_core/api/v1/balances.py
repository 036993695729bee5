"""Balances: what stands on the accounts behind the store's own provider accounts, as last reported."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router
from ninja.params.functions import Query

from majuu_core.api.auth import require
from majuu_core.api.pagination import paginate
from majuu_core.api.responses import json_response
from majuu_core.api.schemas import Page, ProblemOut
from majuu_core.api.v1.balances_schemas import BalanceOut
from majuu_core.common.money import decimal_places
from majuu_core.merchants.models import ProviderAccount
from majuu_core.payments.balances import latest_balances
from majuu_core.payments.models import BalanceLine, BalanceSnapshot
from majuu_core.payments.representation import represent_time

router = Router(tags=["Balances"])
_PROBLEMS = {401: ProblemOut, 403: ProblemOut, 422: ProblemOut}


@router.get(
    "",
    response={200: Page[BalanceOut], **_PROBLEMS},
    operation_id="list_balances",
    summary="List balances",
    url_name="balances",
)
def list_balances(
    request: HttpRequest,
    limit: int = Query(20, description="1 to 100."),
    cursor: str | None = Query(None, description="The next_cursor of the page before."),
) -> HttpResponse:
    """One entry for each provider account of the store's own, with what the provider reported last."""
    caller = require(request, "balances:read")
    rows = ProviderAccount.objects.filter(store_id=caller.store_id, livemode=caller.livemode).defer("credentials")
    page = paginate(rows, limit=limit, cursor=cursor, represent=lambda row: row)  # type: ignore[arg-type,return-value]
    latest = latest_balances(page["data"])
    page["data"] = [_represent(account, latest.get(account.pk)) for account in page["data"]]
    return json_response(request, 200, page)


def _represent(account: ProviderAccount, snapshot: BalanceSnapshot | None) -> dict[str, Any]:
    return {
        "object": "balance",
        "livemode": account.livemode,
        "provider_account": account.public_id,
        "provider": account.provider,
        "name": account.name,
        "reported_at": represent_time(snapshot.reported_at) if snapshot else None,
        "accounts": [_line(line) for line in snapshot.lines.all()] if snapshot else [],
    }


def _line(line: BalanceLine) -> dict[str, Any]:
    amounts = {name: getattr(line, name) for name in ("current", "available", "reserved", "uncleared")}
    texts = {name: None if value is None else _text(value, line.currency) for name, value in amounts.items()}
    return {"name": line.name, "currency": line.currency, **texts}


def _text(amount: Decimal, currency: str) -> str:
    """All decimals of the currency, and more where the provider told more."""
    exponent = amount.normalize().as_tuple().exponent
    return f"{amount:.{max(decimal_places(currency), -exponent if isinstance(exponent, int) else 0)}f}"
