"""The page on which authorized money is captured, wholly or in part, or let go."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from majuu_core.accounts.trail import acting_user
from majuu_core.common import randomness
from majuu_core.common.money import AmountError, format_amount, parse_amount
from majuu_core.common.problems import Problem
from majuu_core.console.base import PageAction
from majuu_core.console.cells import address_of, id_link, money_cell
from majuu_core.payments.captures import capture_payment_intent
from majuu_core.payments.holds import held_amount, is_asked_for
from majuu_core.payments.intents import cancel_payment_intent
from majuu_core.payments.models import Charge, PaymentIntent

PERMISSION = "majuu_payments.change_paymentintent"


def capture_action(request: HttpRequest, charge: Charge | None) -> list[PageAction]:
    """The button on the page of an authorized charge or of its intent, for who may change payment intents."""
    if charge is None or charge.status != Charge.Status.AUTHORIZED or is_asked_for(charge):
        return []
    if not request.user.has_perm(PERMISSION):
        return []
    address = reverse("console:majuu_payments_charge_capture", args=[charge.public_id])
    text = "The customer's money is authorized. Shows how much can be captured; nothing moves before you confirm."
    return [PageAction(label="Capture or release …", address=address, explanation=text, icon="price_check")]


def capture_page(request: HttpRequest, charge: Charge | None, each_context: dict[str, Any]) -> HttpResponse:
    """How much is held and until when, with the forms that capture it or let it go. POST with ``confirm`` does so."""
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    if charge is None:
        raise Http404
    here = reverse("console:majuu_payments_charge_capture", args=[charge.public_id])
    confirmed = request.POST.get("confirm") if request.method == "POST" else ""
    if request.method == "POST" and confirmed not in {"capture", "void"}:
        return HttpResponseRedirect(here)  # the button on the charge's page
    problem = ""
    if confirmed:
        try:
            with acting_user(request):
                _capture(request, charge) if confirmed == "capture" else _release(charge)
            charge.refresh_from_db()
            _say(request, charge)
            return HttpResponseRedirect(address_of(charge))
        except (Problem, AmountError) as refusal:
            problem = str(refusal)
    context = {
        **each_context,
        "title": "Capture",
        "majuu_charge": charge,
        "majuu_charge_link": id_link(charge),
        "majuu_problem": problem,
        "majuu_held": money_cell(held_amount(charge)),
        "majuu_typed": request.POST.get("amount") or format_amount(held_amount(charge)),
        "majuu_here": here,
        "majuu_key": request.POST.get("key") or randomness.encode_url_safe(randomness.secret_bytes(15)),
        "majuu_open": charge.status == Charge.Status.AUTHORIZED and not is_asked_for(charge),
    }
    return TemplateResponse(request, "majuu_console/capture.html", context, status=422 if problem else 200)


def _capture(request: HttpRequest, charge: Charge) -> None:
    """What was confirmed. The key of the form makes a second click the same capture."""
    intent = charge.payment_intent
    amount = parse_amount(request.POST.get("amount", ""), intent.currency)
    key = f"console:{request.POST.get('key', '')}"[:64]
    capture_payment_intent(intent=intent, amount=amount, request_key=key)


def _release(charge: Charge) -> None:
    cancel_payment_intent(intent=charge.payment_intent, reason=PaymentIntent.CancellationReason.REQUESTED)


def _say(request: HttpRequest, charge: Charge) -> None:
    if charge.failure_message and charge.status == Charge.Status.AUTHORIZED:
        messages.error(request, f"The provider refused, and the money is authorized still: {charge.failure_message}")
    elif is_asked_for(charge) and charge.status == Charge.Status.AUTHORIZED:
        messages.info(request, "The provider was asked and has not answered. It is asked again until it does.")
    else:
        messages.success(request, f"The charge is now: {charge.get_status_display()}.")
