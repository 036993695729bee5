"""Whose is this money? Suggestions with reasons, what to print on invoices, and what pasted messages are worth."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router
from ninja.params.functions import Query

from majuu_core.api.auth import acting, require
from majuu_core.api.idempotency import run_once
from majuu_core.api.pagination import paginate
from majuu_core.api.responses import json_response
from majuu_core.api.schemas import Page, ProblemOut
from majuu_core.api.v1.incoming_suggestions_schemas import (
    AccountReferenceOut,
    IncomingSuggestionsOut,
    IntentSuggestionsOut,
    MessageIn,
    MessageVerificationOut,
)
from majuu_core.common.problems import Invalid
from majuu_core.merchants.models import Store
from majuu_core.payments.account_references import MAX_PROMPT, ReferenceRefused, suggest_account_reference
from majuu_core.payments.intents import get_payment_intent
from majuu_core.payments.message_checks import check_message
from majuu_core.payments.models import IncomingPayment
from majuu_core.payments.receipt_guesses import check_guesses, count_wrong_guess
from majuu_core.payments.suggestion_queries import last_receiver, suggest_money, suggest_orders, unclaimed_money
from majuu_core.payments.suggestion_representation import (
    may_be_shown,
    represent_check,
    represent_order,
    represent_score,
    represent_unclaimed,
)
from majuu_core.payments.suggestions import Suggestion

router = Router(tags=["Incoming payments"])
intents_router = Router(tags=["Payment intents"])
_PROBLEMS = {401: ProblemOut, 403: ProblemOut, 422: ProblemOut, 429: ProblemOut}


@router.get(
    "/suggestions",
    response={200: Page[IncomingSuggestionsOut], **_PROBLEMS},
    operation_id="list_incoming_suggestions",
    summary="Whose is the unclaimed money?",
    url_name="incoming_suggestions",
)
def list_suggestions(
    request: HttpRequest,
    limit: int = Query(20, description="1 to 100 payments looked at."),
    cursor: str | None = Query(None, description="The next_cursor of the page before."),
) -> HttpResponse:
    """Unclaimed money this store may claim, newest first, each with the store's orders that it may pay and why.

    Money on a shared account is left out unless one of the store's orders explains it, so a page may hold fewer than
    ``limit``: go on while ``has_more`` is true.
    """
    caller = require(request, "incoming:read")
    threshold = _threshold(caller.store_id)
    rows = unclaimed_money(livemode=caller.livemode, store_id=caller.store_id)
    page = paginate(rows, limit=limit, cursor=cursor, represent=lambda row: row)  # type: ignore[arg-type,return-value]
    found = suggest_orders(page["data"], store_id=caller.store_id)
    page["data"] = [
        _represent(row, found[row.pk], threshold, caller.store_id)
        for row in page["data"]
        if may_be_shown(row, found[row.pk])
    ]
    return json_response(request, 200, page)


@router.get(
    "/account-reference",
    response={200: AccountReferenceOut, **_PROBLEMS},
    operation_id="get_account_reference",
    summary="What to print on an invoice",
    url_name="incoming_account_reference",
)
def account_reference(
    request: HttpRequest, reference: str = Query(..., max_length=64, description="Your own order number.")
) -> HttpResponse:
    """The account number to type at the paybill: the store's prefix, the order number, a check character.

    With it, money finds its order even when the customer's finger slips.
    """
    caller = require(request, "incoming:read")
    prefix = Store.objects.values_list("account_prefix", flat=True).get(pk=caller.store_id)
    try:
        printed = suggest_account_reference(prefix or "", reference)
    except ReferenceRefused as problem:
        raise Invalid(problem.code, str(problem), field="reference") from None
    answer = {
        "object": "account_reference",
        "reference": reference,
        "prefix": prefix,
        "account_reference": printed,
        "prompt_reference": printed if len(printed) <= MAX_PROMPT else None,
        "paybill": last_receiver(livemode=caller.livemode, store_id=caller.store_id) or None,
    }
    return json_response(request, 200, answer)


@router.post(
    "/verify-message",
    response={200: MessageVerificationOut, **_PROBLEMS, 409: ProblemOut},
    operation_id="verify_incoming_message",
    summary="Check a pasted M-Pesa message",
    url_name="incoming_verify_message",
)
def verify_message(request: HttpRequest, body: MessageIn) -> HttpResponse:
    """Read a message that a customer pasted, in English or Swahili, and compare it with what arrived.

    The message is never believed: ``verdict`` says what the inbox knows. Nothing is claimed.
    """
    caller = require(request, "incoming:read")

    def work(request_key: str) -> tuple[int, Any]:
        check_guesses(store_id=caller.store_id, livemode=caller.livemode)
        check = check_message(store_id=caller.store_id, livemode=caller.livemode, text=body.text)
        if check.message is not None and check.verdict in ("not_found", "already_claimed"):
            count_wrong_guess(store_id=caller.store_id, livemode=caller.livemode, receipt=check.message.receipt)
        return 200, represent_check(check, caller.store_id)

    with acting(request):
        return run_once(request, caller, work)


@intents_router.get(
    "/{payment_intent_id}/incoming-suggestions",
    response={200: IntentSuggestionsOut, **_PROBLEMS, 404: ProblemOut},
    operation_id="list_payment_intent_suggestions",
    summary="Which unclaimed money could it be?",
    url_name="payment_intent_incoming_suggestions",
)
def list_money(request: HttpRequest, payment_intent_id: str) -> HttpResponse:
    """The unclaimed money that may pay this intent, the best first, each with its reasons."""
    caller = require(request, "incoming:read")
    intent = get_payment_intent(store_id=caller.store_id, livemode=caller.livemode, public_id=payment_intent_id)
    threshold = _threshold(caller.store_id)
    answer = {
        "object": "payment_intent_suggestions",
        "payment_intent": intent.public_id,
        "suggestions": [
            {
                "incoming_payment": represent_unclaimed(row, best=found.score, store_id=caller.store_id),
                **represent_score(found, threshold),
            }
            for row, found in suggest_money(intent)
            if may_be_shown(row, [found])
        ],
    }
    return json_response(request, 200, answer)


def _threshold(store_id: uuid.UUID) -> int | None:
    return Store.objects.values_list("auto_claim_score", flat=True).get(pk=store_id)


def _represent(
    row: IncomingPayment, found: list[Suggestion], threshold: int | None, store_id: uuid.UUID
) -> dict[str, Any]:
    best = max((one.score for one in found), default=0)
    return {
        "object": "incoming_suggestions",
        "incoming_payment": represent_unclaimed(row, best=best, store_id=store_id),
        "suggestions": [represent_order(one, threshold) for one in found],
    }
