"""Pages for money that people see: say that it was seen, and work off the refunds to pay by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse

from majuu_core.accounts.trail import acting_user
from majuu_core.audit.exports import record_export
from majuu_core.common import clock
from majuu_core.common.money import AmountError, format_amount, parse_amount
from majuu_core.common.problems import Problem
from majuu_core.console.base import PageAction
from majuu_core.console.cells import address_of, badge, code_cell, id_link, link, money_cell
from majuu_core.merchants.models import ProviderAccount
from majuu_core.payments.by_hand import by_hand_codes, is_by_hand
from majuu_core.payments.models import Charge, Refund, Sighting
from majuu_core.payments.refund_lists import list_csv, list_xlsx, refunds_to_pay
from majuu_core.payments.sightings import Seen, report_money, report_refund_failed, report_refund_paid

MAY_SEE = "majuu_payments.add_sighting"
MAY_PAY = "majuu_payments.change_refund"
_MOST_SHOWN = 200
_FILES: dict[str, tuple[str, Callable[..., Any]]] = {
    "csv": ("text/csv", list_csv),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", list_xlsx),
}


class SeenForm(forms.Form):
    """What somebody saw at the bank or took at the till."""

    amount = forms.CharField(
        max_length=32, widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
    )
    on = forms.DateField(label="Day", widget=forms.DateInput(attrs={"type": "date"}), help_text="As the bank says it.")
    bank_reference = forms.CharField(
        max_length=80,
        required=False,
        label="The bank's number, or the receipt's",
        help_text="With it, the statement's line is known to be the same money.",
    )
    note = forms.CharField(max_length=255, required=False, help_text="How it was seen, where there is no number.")


def money_seen_action(request: HttpRequest, charge: Charge) -> list[PageAction]:
    """The button on a charge's page, for who may say that its money was seen."""
    open_to_it = is_by_hand(charge.provider) and charge.status != Charge.Status.SUCCEEDED
    if not open_to_it or not request.user.has_perm(MAY_SEE):
        return []
    if charge.sightings.filter(status=Sighting.Status.WAITING).exists():
        return []
    text = "For money on the bank's statement or in the till. A second person confirms it before it counts."
    address = reverse("console:majuu_payments_charge_seen", args=[charge.public_id])
    return [PageAction(label="Money seen …", address=address, explanation=text, icon="visibility")]


def money_seen_page(request: HttpRequest, charge: Charge | None, each_context: dict[str, Any]) -> HttpResponse:
    """The form, and what came of it: a sighting that waits for a second person."""
    if not request.user.has_perm(MAY_SEE):
        raise PermissionDenied
    if charge is None:
        raise Http404
    here = reverse("console:majuu_payments_charge_seen", args=[charge.public_id])
    if request.method == "POST" and "amount" not in request.POST:
        return HttpResponseRedirect(here)  # the button on the charge's page
    first = {"amount": format_amount(charge.amount), "on": clock.now().date().isoformat()}
    form = SeenForm(request.POST if request.method == "POST" else None, initial=first)
    if request.method == "POST" and form.is_valid():
        try:
            with acting_user(request):
                sighting = report_money(charge=charge, seen=_seen(form, charge.currency))
        except (Problem, AmountError) as problem:
            named = problem.field if isinstance(problem, Problem) and problem.field in form.fields else "amount"
            form.add_error(named if isinstance(problem, AmountError) or problem.field else None, str(problem))
        else:
            messages.success(request, "Written down. A second person has to confirm it.")
            return HttpResponseRedirect(address_of(sighting))
    context = {
        **each_context,
        "title": "Money seen",
        "form": form,
        "majuu_charge_link": id_link(charge),
        "majuu_asked": money_cell(charge.amount),
        "majuu_reference": code_cell(charge.provider_reference),
    }
    status = 422 if form.errors else 200
    return TemplateResponse(request, "majuu_console/money_seen.html", context, status=status)


def refunds_page(request: HttpRequest, each_context: dict[str, Any]) -> HttpResponseBase:
    """The refunds to pay by hand: filtered, as a file, and marked as done or failed."""
    if not request.user.has_perm("majuu_payments.view_refund"):
        raise PermissionDenied
    given = request.GET
    livemode, account, currency = given.get("mode") != "test", given.get("account", ""), given.get("currency", "")[:3]
    rows = refunds_to_pay(livemode=livemode, account=account, currency=currency)
    if request.method == "POST":
        return _mark(request, rows)
    if given.get("format") in _FILES:
        with acting_user(request):
            record_export(report="refunds_by_hand", form=given["format"], rows=rows.count(), filters=given.dict())
        return _file(given["format"], rows)
    shown = list(rows[:_MOST_SHOWN])
    waiting = set(
        Sighting.objects.filter(refund__in=[row.pk for row in shown], status=Sighting.Status.WAITING).values_list(
            "refund_id", flat=True
        )
    )
    accounts = ProviderAccount.objects.filter(provider__in=by_hand_codes(), livemode=livemode).order_by("name")
    context = {
        **each_context,
        "title": "Refunds to pay by hand",
        "majuu_rows": [_row(refund, refund.pk in waiting) for refund in shown],
        "majuu_more": len(shown) == _MOST_SHOWN,
        "majuu_accounts": [(item.public_id, item.name) for item in accounts.only("id", "name")[:_MOST_SHOWN]],
        "majuu_account": account,
        "majuu_currency": currency,
        "majuu_livemode": livemode,
        "majuu_may": request.user.has_perm(MAY_PAY),
        "majuu_today": clock.now().date().isoformat(),
    }
    return TemplateResponse(request, "majuu_console/refunds_by_hand.html", context)


def _row(refund: Refund, waits: bool) -> dict[str, Any]:
    return {
        "id": refund.public_id,
        "link": id_link(refund, short=True),
        "amount": money_cell(refund.amount),
        "way": badge(refund.method.replace("_", " ")),
        "to": [f"{value}" for value in refund.destination.values()],
        "reason": refund.reason,
        "store": link(refund.store),
        "waits": badge("waits for a second person", "warn") if waits else "",
        "is_open": not waits,
    }


def _file(kind: str, rows: Any) -> StreamingHttpResponse:
    content_type, write = _FILES[kind]
    response = StreamingHttpResponse(write(rows), content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="refunds-{clock.now():%Y-%m-%d}.{kind}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _mark(request: HttpRequest, rows: Any) -> HttpResponse:
    """Mark the selected ones. What cannot be marked is told; the others are done all the same."""
    if not request.user.has_perm(MAY_PAY):
        raise PermissionDenied
    sent = request.POST
    wanted = {found for found in (_uuid_of(text) for text in sent.getlist("refund")[:_MOST_SHOWN]) if found}
    if not wanted:
        messages.error(request, "Choose at least one refund.")
    done = waiting = 0
    for refund in rows.filter(pk__in=wanted):
        try:
            with acting_user(request):
                came = _mark_one(refund, sent)
        except (Problem, ValueError) as problem:
            messages.error(request, f"{refund.public_id}: {problem}")
            continue
        waiting += isinstance(came, Sighting)
        done += not isinstance(came, Sighting)
    if done:
        messages.success(request, f"{done} marked.")
    if waiting:
        messages.info(request, f"{waiting} above the limit: a second person has to confirm.")
    return HttpResponseRedirect(request.get_full_path())


def _mark_one(refund: Refund, sent: Any) -> Refund | Sighting:
    if sent.get("outcome") == "failed":
        return report_refund_failed(refund=refund, reason=sent.get("note", "")[:255])
    on = forms.DateField().to_python(sent.get("on", "")) or clock.now().date()
    seen = Seen(
        amount=refund.amount,
        on=on,
        bank_reference=sent.get("bank_reference", "")[:80],
        note=sent.get("note", "")[:255],
    )
    return report_refund_paid(refund=refund, seen=seen)


def _seen(form: SeenForm, currency: str) -> Seen:
    data = form.cleaned_data
    return Seen(
        amount=parse_amount(data["amount"].strip().replace(",", ""), currency),
        on=data["on"],
        bank_reference=data["bank_reference"],
        note=data["note"],
    )


def _uuid_of(text: str) -> Any:
    try:
        return Refund.uuid_of(text)
    except ValueError:
        return None
