"""Pages that make, rotate and change API keys. All of them ask for a fresh second factor; a new key is shown once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.debug import sensitive_variables

from majuu_core.accounts.trail import acting_user
from majuu_core.common.problems import Problem
from majuu_core.console.base import PageAction
from majuu_core.console.cells import address_of, link
from majuu_core.merchants.api_keys import (
    LONGEST_OVERLAP,
    CreatedKey,
    create_api_key,
    key_status,
    rotate_api_key,
    update_api_key,
)
from majuu_core.merchants.errors import InvalidInput
from majuu_core.merchants.models import ApiKey, Store

MAY_ADD = "majuu_merchants.add_apikey"
MAY_CHANGE = "majuu_merchants.change_apikey"
_LINES = forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "autocomplete": "off"})


class LimitsForm(forms.Form):
    """What may be changed of a key."""

    name = forms.CharField(max_length=100, required=False, help_text="For people, such as the shop it is for.")
    scopes = forms.CharField(
        required=False,
        max_length=2000,
        widget=_LINES,
        help_text='One to a line, such as "payments:write". "*" is everything. Empty: nothing.',
    )
    allowed_addresses = forms.CharField(
        required=False,
        max_length=4000,
        widget=_LINES,
        help_text="Addresses and networks it may be used from, one to a line, such as 196.201.214.0/24. Empty: all.",
    )
    rate_limit = forms.IntegerField(required=False, label="Requests a minute", help_text="Empty: as for all keys.")
    monthly_quota = forms.IntegerField(required=False, label="Requests a month", help_text="Empty: no end.")
    expires_at = forms.DateTimeField(
        required=False,
        label="Ends",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text="Empty: it does not end by itself.",
    )

    def values(self) -> dict[str, Any]:
        """The fields as the services take them."""
        lines = {name: self.cleaned_data[name].split() for name in ("scopes", "allowed_addresses")}
        return {name: self.cleaned_data[name] for name in LimitsForm.base_fields} | lines


class NewKeyForm(LimitsForm):
    """A new key of a store."""

    mode = forms.ChoiceField(choices=[("test", "Test"), ("live", "Live: only for an approved business")])
    kind = forms.ChoiceField(
        choices=[
            ("secret", "Secret: for the shop's server"),
            ("publishable", "Publishable: for the shop's pages"),
            ("client", "OAuth client: its secret is traded for access tokens"),
        ]
    )
    field_order = ("name", "mode", "kind")


class RotateForm(forms.Form):
    """How long the old key goes on working."""

    overlap = forms.IntegerField(
        label="Days the old key goes on working",
        min_value=0,
        max_value=LONGEST_OVERLAP.days,
        initial=1,
        help_text="0 ends it at once: for a key that has leaked.",
    )


def new_key_action(request: HttpRequest, store: Store) -> list[PageAction]:
    """The button on a store's page."""
    if not store.is_active or not request.user.has_perm(MAY_ADD):
        return []
    address = reverse("console:majuu_merchants_store_new_key", args=[store.public_id])
    text = "For the shop's server or its pages. The key is shown once."
    return [PageAction(label="New API key …", address=address, explanation=text, icon="key")]


def key_actions(request: HttpRequest, row: ApiKey) -> list[PageAction]:
    """The buttons on a key's page, those that still make sense."""
    if not request.user.has_perm(MAY_CHANGE) or row.revoked_at is not None:
        return []
    texts = {
        "limits": ("Change limits …", "tune", "Name, scopes, addresses, rate, quota and end."),
        "revoke": (
            "Revoke",
            "block",
            "For good: the next request with this key, or any token of this client, is refused.",
        ),
    }
    if row.rotated_at is None and key_status(row) == "active" and request.user.has_perm(MAY_ADD):
        rotate = ("Rotate …", "autorenew", "Makes the key that takes this one's place; this one ends some days later.")
        texts = {"rotate": rotate} | texts
    return [
        PageAction(
            label=label,
            address=reverse(f"console:majuu_merchants_apikey_{name}", args=[row.public_id]),
            explanation=text,
            icon=icon,
            is_quiet=name == "revoke",
        )
        for name, (label, icon, text) in texts.items()
    ]


def new_key_page(request: HttpRequest, store: Store | None, each_context: dict[str, Any]) -> HttpResponse:
    """The form of a new key; POST makes it and shows it, this once."""
    _check(request, MAY_ADD, store)
    assert store is not None  # noqa: S101 - checked
    first = {"scopes": "*", "mode": "test"}
    form = NewKeyForm(request.POST if "kind" in request.POST else None, initial=first)

    def make() -> CreatedKey:
        data = form.cleaned_data
        livemode, values = data["mode"] == "live", form.values()
        return create_api_key(store=store, livemode=livemode, kind=data["kind"], created_by=request.user, **values)

    return _page(request, form, each_context, title="New API key", about=link(store), make=make, button="Make the key")


def rotate_page(request: HttpRequest, row: ApiKey | None, each_context: dict[str, Any]) -> HttpResponse:
    """How long the old key goes on; POST makes the new one and shows it, this once."""
    _check(request, MAY_CHANGE, row)
    _check(request, MAY_ADD, row)
    assert row is not None  # noqa: S101 - checked
    form = RotateForm(request.POST if "overlap" in request.POST else None)

    def make() -> CreatedKey:
        overlap = timedelta(days=form.cleaned_data["overlap"])
        return rotate_api_key(api_key=row, overlap=overlap, created_by=request.user)

    return _page(request, form, each_context, title="Rotate API key", about=link(row), make=make, button="Rotate")


def limits_page(request: HttpRequest, row: ApiKey | None, each_context: dict[str, Any]) -> HttpResponse:
    """What may be changed of a key."""
    _check(request, MAY_CHANGE, row)
    assert row is not None  # noqa: S101 - checked
    first = {name: getattr(row, name) for name in LimitsForm.base_fields}
    first |= {name: "\n".join(first[name]) for name in ("scopes", "allowed_addresses")}
    if row.expires_at is not None:  # the field shows minutes; an end that was not touched stays as it is to the second
        first["expires_at"] = row.expires_at.replace(second=0, microsecond=0)
    form = LimitsForm(request.POST if "scopes" in request.POST else None, initial=first)

    def change() -> None:
        values = {name: value for name, value in form.values().items() if name in form.changed_data}
        update_api_key(api_key=row, **values)

    title = "Limits of an API key"
    return _page(request, form, each_context, title=title, about=link(row), make=change, button="Save", row=row)


@sensitive_variables("made")
def _page(
    request: HttpRequest,
    form: forms.Form,
    each_context: dict[str, Any],
    *,
    title: str,
    about: str,
    make: Callable[[], CreatedKey | None],
    button: str,
    row: ApiKey | None = None,
) -> HttpResponse:
    """Show the form, or do what it says and show the new key, or the row that was changed."""
    context = {**each_context, "title": title, "form": form, "majuu_about": about, "majuu_button": button}
    if form.is_valid():
        try:
            with acting_user(request):
                made = make()
        except Problem as problem:
            _tell(form, problem)
        else:
            if made is not None:
                return _shown_once(request, context, made)
            messages.success(request, "Saved. It holds with the next request.")
            assert row is not None  # noqa: S101 - who makes no key changes one
            return HttpResponseRedirect(address_of(row))
    return TemplateResponse(request, "majuu_console/key_form.html", context, status=422 if form.errors else 200)


@sensitive_variables("made")
def _shown_once(request: HttpRequest, context: dict[str, Any], made: CreatedKey) -> HttpResponse:
    title = "Your client's new secret" if made.row.client_id else "Your new API key"
    context |= {"title": title, "majuu_key": made.key, "majuu_row": made.row, "majuu_link": link(made.row)}
    response = TemplateResponse(request, "majuu_console/key_made.html", context)
    response["Cache-Control"] = "no-store"
    return response


def _tell(form: forms.Form, problem: Problem) -> None:
    told = [(item.field, item.message) for item in problem.violations] if isinstance(problem, InvalidInput) else []
    for field, message in told or [("", problem.message)]:
        form.add_error(field if field in form.fields else None, message)


def _check(request: HttpRequest, permission: str, row: Store | ApiKey | None) -> None:
    if not request.user.has_perm(permission):
        raise PermissionDenied
    if row is None:
        raise Http404
