"""Wallets: customers' spendable balances at the store."""

from __future__ import annotations

from typing import Any, Literal

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from ninja import Router
from ninja.params.functions import Query

from majuu_core.api.auth import acting, require, store_of
from majuu_core.api.idempotency import run_once, run_once_atomically
from majuu_core.api.pagination import paginate
from majuu_core.api.responses import json_response, request_id
from majuu_core.api.schemas import Page, ProblemOut, lifetime_of
from majuu_core.api.v1.wallets_schemas import (
    WalletDepositIn,
    WalletDepositOut,
    WalletIn,
    WalletMovementOut,
    WalletOut,
    WalletPaymentIn,
    WalletPaymentOut,
    WalletReasonIn,
    WalletStatementOut,
    WalletWithdrawalIn,
    WalletWithdrawalOut,
)
from majuu_core.audit.exports import record_export
from majuu_core.common.money import parse_amount
from majuu_core.ledger.selectors import balance, balances
from majuu_core.merchants.api_keys import KeyIdentity
from majuu_core.payments.intents import get_payment_intent
from majuu_core.wallets.deposits import DepositDetails, create_deposit
from majuu_core.wallets.models import Wallet
from majuu_core.wallets.pdf import statement_pdf
from majuu_core.wallets.records import (
    represent_deposit,
    represent_payment,
    represent_wallet,
    represent_withdrawal,
)
from majuu_core.wallets.services import (
    WalletDetails,
    close_wallet,
    freeze_wallet,
    get_wallet,
    open_wallet,
    unfreeze_wallet,
)
from majuu_core.wallets.spending import pay_intent_from_wallet
from majuu_core.wallets.statements import (
    list_movements,
    parse_instant,
    represent_movement,
    represent_statement,
    statement_csv,
    wallet_statement,
)
from majuu_core.wallets.withdrawals import WithdrawalDetails, withdraw

router = Router(tags=["Wallets"])
_PROBLEMS = {401: ProblemOut, 403: ProblemOut, 404: ProblemOut, 409: ProblemOut, 422: ProblemOut}
_SEEN = {401: ProblemOut, 403: ProblemOut, 404: ProblemOut, 422: ProblemOut}


def represent(wallet: Wallet) -> dict[str, Any]:
    """The wallet with its balance as it is now."""
    return represent_wallet(wallet, balance(wallet.account))


def _wallet(caller: KeyIdentity, wallet_id: str) -> Wallet:
    return get_wallet(store_id=caller.store_id, livemode=caller.livemode, public_id=wallet_id)


@router.post(
    "",
    response={201: WalletOut, **_PROBLEMS},
    operation_id="create_wallet",
    summary="Open a wallet",
    url_name="wallets",
)
def create(request: HttpRequest, body: WalletIn) -> HttpResponse:
    """Open a customer's wallet. A customer has one for each currency: asked for again, it is the same.

    Only where the operator holds money for others (MAJUU_CUSTODIAL); elsewhere it is refused: custodial_disabled.
    """
    caller = require(request, "wallets:write")
    details = WalletDetails(**body.model_dump())

    def work() -> tuple[int, Any]:
        return 201, represent(open_wallet(store=store_of(caller), livemode=caller.livemode, details=details))

    with acting(request):
        return run_once_atomically(request, caller, work)


@router.get(
    "",
    response={200: Page[WalletOut], **_SEEN},
    operation_id="list_wallets",
    summary="List wallets",
    url_name="wallets",
)
def list_wallets(
    request: HttpRequest,
    limit: int = Query(20, description="1 to 100."),
    cursor: str | None = Query(None, description="The next_cursor of the page before."),
    customer_reference: str | None = Query(None, description="Only this customer's."),
    status: str | None = Query(None, description="Only this status."),
) -> HttpResponse:
    """Newest first, each with its balance."""
    caller = require(request, "wallets:read")
    rows = Wallet.objects.filter(store_id=caller.store_id, livemode=caller.livemode)
    if customer_reference is not None:
        rows = rows.filter(customer_reference=customer_reference)
    if status is not None:
        rows = rows.filter(status=status)
    page = paginate(rows, limit=limit, cursor=cursor, represent=lambda row: row)  # type: ignore[arg-type,return-value]
    present = balances(wallet.account for wallet in page["data"])
    page["data"] = [represent_wallet(wallet, present[wallet.account]) for wallet in page["data"]]
    return json_response(request, 200, page)


@router.get(
    "/{wallet_id}",
    response={200: WalletOut, **_SEEN},
    operation_id="get_wallet",
    summary="Retrieve a wallet",
    url_name="wallet",
)
def retrieve(request: HttpRequest, wallet_id: str) -> HttpResponse:
    """One wallet with its balance."""
    caller = require(request, "wallets:read")
    return json_response(request, 200, represent(_wallet(caller, wallet_id)))


@router.post(
    "/{wallet_id}/deposits",
    response={201: WalletDepositOut, **_PROBLEMS},
    operation_id="create_wallet_deposit",
    summary="Begin a deposit",
    url_name="wallet_deposits",
)
def deposit(request: HttpRequest, wallet_id: str, body: WalletDepositIn) -> HttpResponse:
    """Make a payment intent whose money goes to the wallet. Confirm it as every other, for instance by STK push.

    What arrives is credited, all of it: wait for the event wallet.credited.
    """
    caller = require(request, "wallets:write")

    def work() -> tuple[int, Any]:
        wallet = _wallet(caller, wallet_id)
        details = DepositDetails(
            amount=parse_amount(body.amount, wallet.currency),
            payment_methods=body.payment_methods,
            description=body.description,
            return_url=body.return_url,
            lifetime=lifetime_of(body.expires_in),
        )
        return 201, represent_deposit(create_deposit(wallet=wallet, details=details))

    with acting(request):
        return run_once_atomically(request, caller, work)


@router.post(
    "/{wallet_id}/payments",
    response={201: WalletPaymentOut, **_PROBLEMS},
    operation_id="create_wallet_payment",
    summary="Pay an intent from a wallet",
    url_name="wallet_payments",
)
def pay(request: HttpRequest, wallet_id: str, body: WalletPaymentIn) -> HttpResponse:
    """Pay one of the store's intents from the wallet, at once. Refused without a trace when the money is not there."""
    caller = require(request, "wallets:write")

    def work() -> tuple[int, Any]:
        wallet = _wallet(caller, wallet_id)
        intent = get_payment_intent(store_id=caller.store_id, livemode=caller.livemode, public_id=body.payment_intent)
        amount = None if body.amount is None else parse_amount(body.amount, wallet.currency)
        return 201, represent_payment(pay_intent_from_wallet(wallet=wallet, intent=intent, amount=amount))

    with acting(request):
        return run_once_atomically(request, caller, work)


@router.post(
    "/{wallet_id}/withdrawals",
    response={201: WalletWithdrawalOut, **_PROBLEMS},
    operation_id="create_wallet_withdrawal",
    summary="Withdraw from a wallet",
    url_name="wallet_withdrawals",
)
def create_withdrawal(request: HttpRequest, wallet_id: str, body: WalletWithdrawalIn) -> HttpResponse:
    """Send money from the wallet to its customer by a payout. Its status, and its payout's events, say how far it is.

    The amount cannot be spent meanwhile; a payout that fails gives it back. A reference is used once for ever.
    """
    caller = require(request, "wallets:write")

    def work(request_key: str) -> tuple[int, Any]:
        wallet = _wallet(caller, wallet_id)
        details = WithdrawalDetails(
            **body.model_dump(exclude={"amount"}), amount=parse_amount(body.amount, wallet.currency)
        )
        return 201, represent_withdrawal(withdraw(wallet=wallet, details=details, request_key=request_key))

    with acting(request):
        return run_once(request, caller, work)


@router.post(
    "/{wallet_id}/freeze",
    response={200: WalletOut, **_PROBLEMS},
    operation_id="freeze_wallet",
    summary="Freeze a wallet",
    url_name="wallet_freeze",
)
def freeze(request: HttpRequest, wallet_id: str, body: WalletReasonIn) -> HttpResponse:
    """Let no money out of it. Deposits still arrive."""
    return _change(request, wallet_id, lambda wallet: freeze_wallet(wallet=wallet, reason=body.reason))


@router.post(
    "/{wallet_id}/unfreeze",
    response={200: WalletOut, **_PROBLEMS},
    operation_id="unfreeze_wallet",
    summary="Release a frozen wallet",
    url_name="wallet_unfreeze",
)
def unfreeze(request: HttpRequest, wallet_id: str) -> HttpResponse:
    """Let money out again."""
    return _change(request, wallet_id, lambda wallet: unfreeze_wallet(wallet=wallet))


@router.post(
    "/{wallet_id}/close",
    response={200: WalletOut, **_PROBLEMS},
    operation_id="close_wallet",
    summary="Close a wallet",
    url_name="wallet_close",
)
def close(request: HttpRequest, wallet_id: str, body: WalletReasonIn | None = None) -> HttpResponse:
    """Close an empty wallet. Opening it again is asking for the customer's wallet again."""
    reason = "" if body is None else body.reason
    return _change(request, wallet_id, lambda wallet: close_wallet(wallet=wallet, reason=reason))


@router.get(
    "/{wallet_id}/movements",
    response={200: Page[WalletMovementOut], **_SEEN},
    operation_id="list_wallet_movements",
    summary="List a wallet's movements",
    url_name="wallet_movements",
)
def movements(
    request: HttpRequest,
    wallet_id: str,
    limit: int = Query(20, description="1 to 100."),
    cursor: str | None = Query(None, description="The next_cursor of the page before."),
) -> HttpResponse:
    """Newest first, each with the balance after it."""
    caller = require(request, "wallets:read")
    found, following = list_movements(_wallet(caller, wallet_id), limit=limit, cursor=cursor)
    page = {
        "object": "list",
        "data": [represent_movement(item) for item in found],
        "has_more": following is not None,
        "next_cursor": following,
    }
    return json_response(request, 200, page)


@router.get(
    "/{wallet_id}/statement",
    response={200: WalletStatementOut, **_SEEN},
    operation_id="get_wallet_statement",
    summary="A wallet's statement",
    url_name="wallet_statement",
)
def statement(
    request: HttpRequest,
    wallet_id: str,
    start: str | None = Query(None, description="A time with its offset, or a day (UTC). Default: its beginning."),
    end: str | None = Query(None, description="The time before which to stop, or the last day. Default: now."),
    format: Literal["json", "csv", "pdf"] = Query("json", description="json, csv or pdf."),
) -> Any:
    """Opening balance, movements and closing balance between two instants."""
    caller = require(request, "wallets:read")
    wallet = _wallet(caller, wallet_id)
    made = wallet_statement(
        wallet,
        None if start is None else parse_instant(start, "start"),
        None if end is None else parse_instant(end, "end"),
    )
    if format == "json":
        return json_response(request, 200, represent_statement(made))
    with acting(request):
        record_export(
            report="wallet_statement",
            form=format,
            about=wallet.public_id,
            merchant_id=caller.merchant_id,
            store_id=caller.store_id,
        )
    if format == "pdf":
        return _file(request, HttpResponse(statement_pdf(made), content_type="application/pdf"), wallet, format)
    return _file(request, StreamingHttpResponse(statement_csv(made), content_type="text/csv"), wallet, format)


def _file(request: HttpRequest, response: Any, wallet: Wallet, kind: str) -> Any:
    response["Content-Disposition"] = f'attachment; filename="statement-{wallet.public_id}.{kind}"'
    response["Request-Id"] = request_id(request)
    response["Cache-Control"] = "no-store"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _change(request: HttpRequest, wallet_id: str, change: Any) -> HttpResponse:
    caller = require(request, "wallets:write")

    def work() -> tuple[int, Any]:
        return 200, represent(change(_wallet(caller, wallet_id)))

    with acting(request):
        return run_once_atomically(request, caller, work)
