"""The page that shows which way money would go back, and why, before it is confirmed."""

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
from majuu_core.common.problems import Invalid, Problem
from majuu_core.console.base import PageAction
from majuu_core.console.cells import address_of, badge, code_cell, id_link, money_cell
from majuu_core.payments.models import Charge, Refund
from majuu_core.payments.refund_planner import RefundPlan
from majuu_core.payments.refunds import RefundDetails, create_refund, plan_refund

PERMISSION = "majuu_payments.add_refund"
_MIN_REASON = 5


def refund_action(request: HttpRequest, charge: Charge) -> list[PageAction]:
    """The button on a charge's page, for who may refund it while something is left."""
    left = charge.amount_received.amount - charge.amount_refunded
    if charge.status != Charge.Status.SUCCEEDED or left <= 0 or not request.user.has_perm(PERMISSION):
        return []
    address = reverse("console:majuu_payments_charge_refund", args=[charge.public_id])
    text = "Shows first which way the money would go back, and why. Nothing moves before you confirm."
    return [PageAction(label="Refund …", address=address, explanation=text, icon="undo")]


def refund_page(request: HttpRequest, charge: Charge | None, each_context: dict[str, Any]) -> HttpResponse:
    """The plan of a refund, and the form that confirms it. POST with ``confirm`` gives the money back."""
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    if charge is None:
        raise Http404
    here = reverse("console:majuu_payments_charge_refund", args=[charge.public_id])
    if request.method == "POST" and not request.POST.get("confirm"):
        return HttpResponseRedirect(here)  # the button on the charge's page
    given = request.POST if request.method == "POST" else request.GET
    problem = ""
    if request.method == "POST":
        try:
            refund = _give_back(request, charge)
            messages.success(request, f"The refund is now: {refund.get_status_display()}.")
            return HttpResponseRedirect(address_of(refund))
        except (Problem, AmountError) as refusal:
            problem = str(refusal)
    plan, objection = _plan(charge, given.get("amount", ""), given.get("method", ""))
    context = {
        **each_context,
        "title": "Refund",
        "majuu_charge": charge,
        "majuu_charge_link": id_link(charge),
        "majuu_problem": problem or objection,
        "majuu_typed": given.get("amount") or (format_amount(plan.amount) if plan else ""),
        "majuu_method": given.get("method", ""),
        "majuu_reason": given.get("reason", ""),
        "majuu_phone": given.get("phone") or (plan.destination.get("phone", "") if plan else ""),
        "majuu_here": here,
        "majuu_key": given.get("key") or randomness.encode_url_safe(randomness.secret_bytes(15)),
        "majuu_fields": [
            (name, name.replace("_", " ").capitalize(), given.get(f"destination.{name}", ""))
            for name in (plan.chosen.needs if plan and plan.chosen else ())
            if name != "phone"
        ],
        **_shown(plan),
    }
    return TemplateResponse(request, "majuu_console/refund.html", context, status=422 if problem else 200)


def _give_back(request: HttpRequest, charge: Charge) -> Refund:
    """What was confirmed: this amount by this way. The key of the form makes a second click the same refund."""
    sent = request.POST
    reason = sent.get("reason", "").strip()
    if len(reason) < _MIN_REASON:
        raise Invalid("reason_missing", f"Say why, in at least {_MIN_REASON} characters.", field="reason")
    phone = sent.get("phone", "").strip()
    details = RefundDetails(
        charge=charge.public_id,
        amount=parse_amount(sent.get("amount", ""), charge.currency),
        reason=reason[:255],
        method=sent.get("method", "")[:32],
        destination={**_entered(sent), **({"phone": phone} if phone else {})},
        source=Refund.Source.CONSOLE,
    )
    store, key = charge.payment_intent.store, f"console:{charge.public_id}:{sent.get('key', '')}"[:64]
    with acting_user(request):
        return create_refund(store=store, livemode=charge.livemode, details=details, request_key=key)[0]


def _entered(sent: Any) -> dict[str, str]:
    """Where the money goes, for ways that need more than a phone."""
    prefix = "destination."
    found = {name.removeprefix(prefix): sent[name].strip() for name in sent if name.startswith(prefix)}
    return {name[:32]: value[:120] for name, value in found.items() if value}


def _plan(charge: Charge, amount: str, method: str) -> tuple[RefundPlan | None, str]:
    """The plan for what was entered, or why there is none."""
    try:
        wanted = parse_amount(amount, charge.currency) if amount else None
        return plan_refund(charge=charge, amount=wanted, method=method), ""
    except (Problem, AmountError) as refusal:
        return None, str(refusal)


def _shown(plan: RefundPlan | None) -> dict[str, Any]:
    if plan is None:
        return {"majuu_plan": None}
    ways = [(plan.chosen, "chosen", "good")] if plan.chosen else []
    ways += [(route, "open", "plain") for route in plan.alternatives]
    ways += [(route, "closed", "bad") for route in plan.rejected]
    return {
        "majuu_plan": plan,
        "majuu_amount": format_amount(plan.amount),
        "majuu_needs_phone": plan.chosen is not None and "phone" in plan.chosen.needs,
        "majuu_refundable": money_cell(plan.refundable),
        "majuu_methods": [route.method for route, _, _ in ways],
        "majuu_rows": [(code_cell(route.method), badge(state, tone), route.reason) for route, state, tone in ways],
        "majuu_sources": [
            (badge(source.account.replace("_", " ")), money_cell(source.amount), source.reason)
            for source in plan.sources
        ],
    }
