"""Payments, payouts and disputes: looked through, exported, and given back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.timezone import get_current_timezone, localtime

from majuu_core.audit.exports import record_export
from majuu_core.common import clock, randomness
from majuu_core.common.money import AmountError, decimal_places, format_amount, parse_amount
from majuu_core.common.problems import Problem
from majuu_core.configuration import custodial
from majuu_core.dashboard.answers import add_problem, done, form_page
from majuu_core.dashboard.lists import page_of
from majuu_core.dashboard.place import Place, member_page
from majuu_core.merchants.access import Action
from majuu_core.payments.models import Charge, Dispute, PaymentIntent, Payout, Refund
from majuu_core.payments.refunds import RefundDetails, create_refund, plan_refund
from majuu_core.reports.exports import stream_csv, stream_xlsx

_PIECE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One of the lists: its rows, its states, and the columns of its export by attribute."""

    title: str
    model: Any
    columns: tuple[tuple[str, str], ...]
    by_reference: bool = True


LISTS: dict[str, Listed] = {
    "payments": Listed(
        title="Payments",
        model=PaymentIntent,
        columns=(
            *(("Id", "public_id"), ("Store", "store.name"), ("Reference", "reference"), ("State", "status")),
            *(("Amount", "amount.amount"), ("Received", "amount_received.amount"), ("Refunded", "amount_refunded")),
            *(("Currency", "currency"), ("Created at", "created_at"), ("Succeeded at", "succeeded_at")),
            *(("Description", "description"), ("E-mail", "customer_email"), ("Phone", "customer_phone")),
        ),
    ),
    "payouts": Listed(
        title="Payouts",
        model=Payout,
        columns=(
            *(("Id", "public_id"), ("Store", "store.name"), ("Reference", "reference"), ("State", "status")),
            *(("Amount", "amount.amount"), ("Currency", "currency"), ("Recipient", "recipient_name")),
            *(("Receipt", "receipt"), ("Created at", "created_at"), ("Failure", "failure_message")),
        ),
    ),
    "disputes": Listed(
        title="Disputes",
        model=Dispute,
        by_reference=False,
        columns=(
            *(("Id", "public_id"), ("Store", "store.name"), ("State", "status"), ("Reason", "reason")),
            *(("Amount", "amount.amount"), ("Currency", "currency"), ("Opened at", "opened_at")),
            *(("Respond by", "respond_by"), ("Closed at", "closed_at")),
        ),
    ),
}


class FilterForm(forms.Form):
    """What of a list is shown. Nothing entered: all of it."""

    is_open = True
    status = forms.ChoiceField(label="State", required=False)
    day = forms.DateField(
        label="Day", required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    reference = forms.CharField(label="Reference or id", required=False, max_length=64)

    def __init__(self, *args: Any, listed: Listed, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        status_field: Any = self.fields["status"]
        status_field.choices = [("", "All"), *listed.model.Status.choices]


class RefundForm(forms.Form):
    """Giving money back."""

    amount = forms.CharField(label="Amount", max_length=32)
    reason = forms.CharField(label="Why", min_length=5, max_length=255, help_text="Kept with the refund.")
    phone = forms.CharField(
        label="Phone number", max_length=32, required=False, help_text="Where the money is paid out anew by phone."
    )
    key = forms.CharField(widget=forms.HiddenInput, max_length=40)


@member_page(Action.READ)
def listing(request: HttpRequest, place: Place, kind: str) -> HttpResponse:
    """Payments, payouts or disputes of one mode, newest first."""
    listed = _listed(kind)
    form = FilterForm(request.GET, listed=listed)
    page = page_of(request, _chosen(place, listed, form))
    exports = {kind_: f"{place.url('export', kind, kind_)}?{request.GET.urlencode()}" for kind_ in ("csv", "xlsx")}
    is_filtered = any(request.GET.get(name) for name in form.fields)
    context = {"place": place, "kind": kind, "title": listed.title, "page": page, "form": form, "exports": exports}
    return render(request, f"majuu_dashboard/{kind}.html", context | {"is_filtered": is_filtered})


@member_page(Action.EXPORT)
def export(request: HttpRequest, place: Place, kind: str, format: str) -> HttpResponseBase:
    """The same rows as a file, in constant memory. Written down in the audit trail before it begins."""
    listed = _listed(kind)
    rows = _chosen(place, listed, FilterForm(request.GET, listed=listed))
    names = [name for name, _ in listed.columns]
    cells = _cells(rows, [path.split(".") for _, path in listed.columns])
    record_export(
        report=kind,
        form=format,
        filters={"mode": place.mode, **{name: request.GET.get(name, "") for name in FilterForm.base_fields}},
        about=place.merchant.public_id,
        merchant_id=place.merchant.pk,
    )
    stream, media = {
        "csv": (stream_csv, "text/csv; charset=utf-8"),
        "xlsx": (stream_xlsx, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    }[format]
    response = StreamingHttpResponse(stream(names, cells), content_type=media)
    name = f"{kind}-{place.mode}-{localtime(clock.now()):%Y-%m-%d}.{format}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@member_page(Action.READ)
def payment(request: HttpRequest, place: Place, intent_id: str) -> HttpResponse:
    """One payment: what was tried, what came, what went back."""
    intent = place.get(PaymentIntent.objects.select_related("store"), intent_id)
    charges = list(Charge.objects.filter(payment_intent=intent).order_by("-pk"))
    refunds = list(Refund.objects.filter(charge__payment_intent=intent).order_by("-pk"))
    context = {
        "place": place,
        "intent": intent,
        "charges": [(charge, place.may(Action.REFUND) and _left(charge)) for charge in charges],
        "refunds": refunds,
    }
    return render(request, "majuu_dashboard/payment.html", context)


@member_page(Action.REFUND, methods=("GET", "POST"), fresh=True)
def refund(request: HttpRequest, place: Place, charge_id: str) -> HttpResponse:
    """Give a charge back, or a part of it. The key of the form makes a second click the same refund."""
    rows = Charge.objects.select_related("payment_intent__store")
    charge = place.get(rows, charge_id, path="payment_intent__store__merchant")
    back = place.url("payment", charge.payment_intent.public_id)
    plan, objection = _plan(charge)
    new_key = randomness.encode_url_safe(randomness.secret_bytes(15))
    known = {
        "amount": format_amount(plan.amount) if plan else "",
        "phone": plan.destination.get("phone", "") if plan else "",
    }
    form = RefundForm(request.POST or None, initial=known | {"key": new_key})
    if request.method == "POST" and form.is_valid():
        try:
            made = _give_back(charge, form.cleaned_data)
            return done(request, f"The refund is now: {made.get_status_display()}.", back)
        except Problem as problem:
            add_problem(form, problem)
        except AmountError as problem:
            form.add_error("amount", str(problem))
    route = plan.chosen if plan else None
    note = objection or (route.reason if route else plan.reasons if plan else "")
    title = f"Refund {charge.amount_received.currency.code} {format_amount(charge.amount_received)}"
    return form_page(request, place, form, title=title, button="Give it back", back=back, note=note)


def _give_back(charge: Charge, given: dict[str, Any]) -> Refund:
    details = RefundDetails(
        charge=charge.public_id,
        amount=parse_amount(given["amount"], charge.currency),
        reason=given["reason"],
        destination={"phone": given["phone"]} if given["phone"] else {},
        source=Refund.Source.MERCHANT,
    )
    key = f"dashboard:{charge.public_id}:{given['key']}"[:64]
    store = charge.payment_intent.store
    return create_refund(store=store, livemode=charge.livemode, details=details, request_key=key)[0]


def _plan(charge: Charge) -> tuple[Any, str]:
    try:
        return plan_refund(charge=charge), ""
    except (Problem, AmountError) as refusal:
        return None, str(refusal)


def _left(charge: Charge) -> bool:
    left = charge.amount_received.amount - charge.amount_refunded
    return charge.status == Charge.Status.SUCCEEDED and left > 0


def _listed(kind: str) -> Listed:
    if kind not in LISTS or (kind == "payouts" and not custodial()):
        raise Http404
    return LISTS[kind]


def _chosen(place: Place, listed: Listed, form: FilterForm) -> QuerySet[Any]:
    """The rows that were asked for; what cannot be read in a filter asks for nothing."""
    form.is_valid()
    asked = form.cleaned_data
    rows: QuerySet[Any] = listed.model.objects.select_related("store").filter(
        store__merchant=place.merchant, livemode=place.livemode
    )
    if asked.get("status"):
        rows = rows.filter(status=asked["status"])
    if asked.get("day"):
        start, end = _bounds(asked["day"])
        rows = rows.filter(created_at__gte=start, created_at__lt=end)
    if asked.get("reference"):
        rows = _named(rows, listed, asked["reference"].strip())
    return rows if not form.errors else rows.none()


def _named(rows: QuerySet[Any], listed: Listed, text: str) -> QuerySet[Any]:
    try:
        return rows.filter(pk=listed.model.uuid_of(text))
    except ValueError:
        return rows.filter(reference=text) if listed.by_reference else rows.none()


def _bounds(day: date) -> tuple[datetime, datetime]:
    zone = get_current_timezone()
    start, end = (datetime.combine(found, time.min, tzinfo=zone) for found in (day, day + timedelta(days=1)))
    return start, end


def _cells(rows: QuerySet[Any], paths: Sequence[Sequence[str]]) -> Iterable[list[Any]]:
    for row in rows.order_by("-pk").iterator(chunk_size=_PIECE):
        yield [_value(row, path) for path in paths]


def _value(row: Any, path: Sequence[str]) -> Any:
    """What a column holds; an amount has the decimals of the row's currency."""
    value = row
    for name in path:
        value = getattr(value, name)
    if isinstance(value, Decimal):
        return value.quantize(Decimal(1).scaleb(-decimal_places(row.currency)))
    return value
