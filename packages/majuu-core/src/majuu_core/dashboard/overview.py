"""The first page of a business, its settings, and its stores."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Count, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.timezone import localtime
from moneyed import Money

from majuu_core.common import clock
from majuu_core.common.money import CURRENCY_CHOICES
from majuu_core.common.problems import Problem
from majuu_core.dashboard.answers import add_problem, done, form_page
from majuu_core.dashboard.lists import page_of
from majuu_core.dashboard.place import Place, member_page
from majuu_core.merchants.access import Action
from majuu_core.merchants.kyc.standing import standing
from majuu_core.merchants.models import Store
from majuu_core.merchants.services import create_store, update_merchant, update_store
from majuu_core.payments.models import PaymentIntent

_LATEST = 8


class NameForm(forms.Form):
    """The name of a business."""

    name = forms.CharField(label="Name of the business", max_length=200)


class StoreForm(forms.Form):
    """A point of sale."""

    name = forms.CharField(label="Name", max_length=200, help_text="Customers see it when they pay.")
    default_currency = forms.ChoiceField(label="Usual currency", choices=CURRENCY_CHOICES, initial="KES")
    late_success = forms.ChoiceField(
        label="Money that arrives after an intent has ended",
        choices=Store.LateSuccess.choices,
        initial=Store.LateSuccess.SUCCEED,
    )


class StoreChangeForm(StoreForm):
    """A point of sale that is there already."""

    is_active = forms.BooleanField(
        label="Open", required=False, help_text="Of a store that is not open, keys are refused."
    )


@member_page(Action.READ)
def overview(request: HttpRequest, place: Place) -> HttpResponse:
    """Where the business stands: its review, today's money, the latest payments."""
    intents = PaymentIntent.objects.filter(store__merchant=place.merchant)
    context = {
        "place": place,
        "standing": standing(place.merchant),
        "today": _today(intents),
        "latest": list(intents.filter(livemode=place.livemode).select_related("store").order_by("-pk")[:_LATEST]),
        "stores": place.merchant.stores.count(),
    }
    return render(request, "majuu_dashboard/overview.html", context)


@member_page(Action.READ, methods=("GET", "POST"), change=Action.SETTINGS)
def settings(request: HttpRequest, place: Place) -> HttpResponse:
    """The name of the business, and the way to one's own account."""
    form = NameForm(request.POST or None, initial={"name": place.merchant.name})
    if request.method == "POST" and form.is_valid():
        try:
            update_merchant(merchant=place.merchant, name=form.cleaned_data["name"])
            return done(request, "Saved.", place.url("settings"))
        except Problem as problem:
            add_problem(form, problem)
    context = {"place": place, "form": form}
    return render(request, "majuu_dashboard/settings.html", context, status=422 if form.errors else 200)


@member_page(Action.READ)
def stores(request: HttpRequest, place: Place) -> HttpResponse:
    """The points of sale."""
    page = page_of(request, place.merchant.stores.all())
    return render(request, "majuu_dashboard/stores.html", {"place": place, "page": page})


@member_page(Action.STORES, methods=("GET", "POST"))
def store_new(request: HttpRequest, place: Place) -> HttpResponse:
    """Open a store."""
    form = StoreForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            create_store(merchant=place.merchant, **form.cleaned_data)
            return done(request, "The store is open.", place.url("stores"))
        except Problem as problem:
            add_problem(form, problem)
    return form_page(request, place, form, title="New store", button="Create the store", back=place.url("stores"))


@member_page(Action.STORES, methods=("GET", "POST"))
def store_edit(request: HttpRequest, place: Place, store_id: str) -> HttpResponse:
    """Change a store, or close it."""
    store = place.get(Store.objects.all(), store_id, path="merchant")
    names = ("name", "default_currency", "late_success", "is_active")
    form = StoreChangeForm(request.POST or None, initial={name: getattr(store, name) for name in names})
    if request.method == "POST" and form.is_valid():
        try:
            update_store(store=store, **form.cleaned_data)
            return done(request, "Saved.", place.url("stores"))
        except Problem as problem:
            add_problem(form, problem)
    return form_page(request, place, form, title=store.name, button="Save", back=place.url("stores"))


def _today(intents: Any) -> list[dict[str, Any]]:
    """What was paid since midnight, by mode and currency."""
    midnight = localtime(clock.now()).replace(hour=0, minute=0, second=0, microsecond=0)
    paid = intents.filter(succeeded_at__gte=midnight, status=PaymentIntent.Status.SUCCEEDED)
    sums = paid.values("livemode", "currency").annotate(total=Sum("amount_received"), number=Count("pk"))
    return [
        {
            "livemode": row["livemode"],
            "total": row["total"] if isinstance(row["total"], Money) else Money(row["total"], row["currency"]),
            "number": row["number"],
        }
        for row in sums.order_by("-livemode", "currency")
    ]
