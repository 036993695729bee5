"""API keys: made, looked at, limited, rotated and revoked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.debug import sensitive_variables

from majuu_core.common import clock
from majuu_core.common.problems import Problem
from majuu_core.dashboard.answers import add_problem, done, form_page, refused, secret_page
from majuu_core.dashboard.lists import page_of
from majuu_core.dashboard.place import Place, member_page
from majuu_core.merchants.access import Action
from majuu_core.merchants.api_keys import create_api_key, key_status, revoke_api_key, rotate_api_key, update_api_key
from majuu_core.merchants.key_quota import used_of_quota
from majuu_core.merchants.key_usage import local_day, usage_by_day
from majuu_core.merchants.models import ApiKey, Merchant, Store

_DAYS = 30
_TEXT = "Copy it now and keep it where secrets are kept. It is not shown again: what is lost is made anew."


class LimitsForm(forms.Form):
    """What a key may do, and how much of it."""

    name = forms.CharField(label="Name", max_length=100, required=False, help_text="Where the key is used.")
    scopes = forms.CharField(
        label="What it may do",
        required=False,
        help_text='Scopes such as "payment_intents:write refunds:read". Empty: everything, but for a publishable key.',
    )
    allowed_addresses = forms.CharField(
        label="May be used from",
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
        help_text="Addresses or networks such as 197.248.0.0/16. Empty: from everywhere.",
    )
    rate_limit = forms.IntegerField(
        label="Requests a minute", required=False, min_value=1, help_text="Empty: as all keys."
    )
    monthly_quota = forms.IntegerField(
        label="Requests a month", required=False, min_value=1, help_text="Empty: no limit."
    )

    def limits(self) -> dict[str, Any]:
        """As the services take them. Without scopes the key keeps its default."""
        given = self.cleaned_data
        found: dict[str, Any] = {name: given[name] for name in ("name", "rate_limit", "monthly_quota")}
        found["allowed_addresses"] = given["allowed_addresses"].replace(",", " ").split()
        if given["scopes"]:
            found["scopes"] = given["scopes"].replace(",", " ").split()
        return found


class KeyForm(LimitsForm):
    """A new key."""

    field_order = ("store", "kind", "name")
    store = forms.ChoiceField(label="Store")
    kind = forms.ChoiceField(
        label="Kind",
        choices=[
            ("secret", "Secret: for your server"),
            ("publishable", "Publishable: for pages that customers see"),
            ("client", "OAuth client: for a server that asks for access tokens"),
        ],
    )

    def __init__(self, *args: Any, stores: list[Store], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        store_field: Any = self.fields["store"]
        store_field.choices = [(store.public_id, store.name) for store in stores]


class RotateForm(forms.Form):
    """How long the old key goes on working."""

    overlap = forms.TypedChoiceField(
        label="The old key works for",
        coerce=int,
        initial=1,
        choices=[(0, "Not at all"), (1, "1 day"), *((days, f"{days} days") for days in range(2, 8))],
        help_text="Time to put the new key everywhere the old one is used.",
    )


@member_page(Action.READ_KEYS)
def keys(request: HttpRequest, place: Place) -> HttpResponse:
    """The keys of one mode, as people recognise them."""
    rows = ApiKey.objects.filter(store__merchant=place.merchant, livemode=place.livemode)
    page = page_of(request, rows.select_related("store"))
    shown = [(row, key_status(row)) for row in page.rows]
    has_stores = bool(shown) or place.merchant.stores.filter(is_active=True).exists()
    context = {"place": place, "page": page, "rows": shown, "has_stores": has_stores, "can_make": _can_make(place)}
    return render(request, "majuu_dashboard/keys.html", context)


@sensitive_variables("made")
@member_page(Action.KEYS, methods=("GET", "POST"), fresh=True)
def key_new(request: HttpRequest, place: Place) -> HttpResponse:
    """Make a key of the mode that is looked at, and show it once."""
    stores = list(place.merchant.stores.filter(is_active=True).order_by("pk"))
    form = KeyForm(request.POST or None, stores=stores)
    if request.method == "POST" and form.is_valid():
        store = next(row for row in stores if row.public_id == form.cleaned_data["store"])
        kind = form.cleaned_data["kind"]
        try:
            made = create_api_key(
                store=store, livemode=place.livemode, kind=kind, created_by=request.user, **form.limits()
            )
            return _show(request, place, made)
        except Problem as problem:
            add_problem(form, problem)
    title = f"New {place.mode} key"
    return form_page(request, place, form, title=title, button="Make the key", back=place.url("keys"))


@member_page(Action.READ_KEYS)
def key(request: HttpRequest, place: Place, key_id: str) -> HttpResponse:
    """One key: its limits, and how much it was used."""
    row = _key(place, key_id)
    last = local_day(clock.now())
    days = usage_by_day(api_key_id=row.pk, first=last - timedelta(days=_DAYS - 1), last=last)
    used = [day for day in reversed(days) if day.requests or day.refused]
    context = {
        "place": place,
        "key": row,
        "status": key_status(row),
        "days": used,
        "most": max((day.requests for day in used), default=0) or 1,
        "used": used_of_quota(row) if row.monthly_quota else None,
        "can_rotate": row.rotated_at is None and key_status(row) == "active",
    }
    return render(request, "majuu_dashboard/key.html", context)


@sensitive_variables("made")
@member_page(Action.KEYS, methods=("GET", "POST"), fresh=True)
def key_rotate(request: HttpRequest, place: Place, key_id: str) -> HttpResponse:
    """Make the key that takes this one's place."""
    row = _key(place, key_id)
    form = RotateForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        overlap = timedelta(days=form.cleaned_data["overlap"])
        try:
            made = rotate_api_key(api_key=row, overlap=overlap, created_by=request.user)
            return _show(request, place, made)
        except Problem as problem:
            add_problem(form, problem)
    back = place.url("key", row.public_id)
    return form_page(request, place, form, title=f"Rotate {row}", button="Make the new key", back=back)


@member_page(Action.KEYS, methods=("GET", "POST"), fresh=True)
def key_limits(request: HttpRequest, place: Place, key_id: str) -> HttpResponse:
    """Change what a key may do."""
    row = _key(place, key_id)
    back = place.url("key", row.public_id)
    known = {"scopes": " ".join(row.scopes), "allowed_addresses": "\n".join(row.allowed_addresses)}
    known |= {name: getattr(row, name) for name in ("name", "rate_limit", "monthly_quota")}
    form = LimitsForm(request.POST or None, initial=known)
    if request.method == "POST" and form.is_valid():
        try:
            update_api_key(api_key=row, **form.limits())
            return done(request, "Saved. It holds from the next request on.", back)
        except Problem as problem:
            add_problem(form, problem)
    return form_page(request, place, form, title=f"Limits of {row}", button="Save", back=back)


@member_page(Action.KEYS, methods=("POST",), fresh=True)
def key_revoke(request: HttpRequest, place: Place, key_id: str) -> HttpResponse:
    """Switch a key off for good."""
    row = _key(place, key_id)
    try:
        revoke_api_key(api_key=row)
    except Problem as problem:
        return refused(request, problem, place.url("keys"))
    return done(request, f"{row} is revoked.", place.url("keys"))


def _key(place: Place, key_id: str) -> ApiKey:
    return place.get(ApiKey.objects.select_related("store", "rotated_from"), key_id)


def _can_make(place: Place) -> bool:
    return place.may(Action.KEYS) and (not place.livemode or place.merchant.status == Merchant.Status.APPROVED)


def _show(request: HttpRequest, place: Place, made: Any) -> HttpResponse:
    title, text = "Your new key", _TEXT
    if made.row.client_id:
        title, text = (
            "Your client's new secret",
            f"The client's id is {made.row.client_id}. This is its secret. {_TEXT}",
        )
    return secret_page(
        request, place, title=title, secret=made.key, text=text, back=place.url("key", made.row.public_id)
    )
