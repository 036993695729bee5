"""Where a shop hears from us: endpoints, and what was sent to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.debug import sensitive_variables

from majuu_core.accounts.step_up import ask_for_second_factor, is_fresh
from majuu_core.common.problems import Problem
from majuu_core.dashboard.answers import add_problem, done, form_page, refused, secret_page
from majuu_core.dashboard.lists import page_of
from majuu_core.dashboard.place import Place, member_page
from majuu_core.merchants.access import Action
from majuu_core.merchants.models import Store
from majuu_core.webhooks.endpoints import (
    create_webhook_endpoint,
    delete_webhook_endpoint,
    disable_webhook_endpoint,
    enable_webhook_endpoint,
    rotate_secret,
    send_test_event,
)
from majuu_core.webhooks.models import WebhookDelivery, WebhookEndpoint
from majuu_core.webhooks.replay import replay_event

_TEXT = "Your shop checks signatures with it. Copy it now: it is not shown again."
_Done = tuple[Callable[[WebhookEndpoint], Any], str]
_ACTS: dict[str, _Done] = {
    "test": (lambda row: send_test_event(endpoint=row), "A test event is on its way."),
    "enable": (lambda row: enable_webhook_endpoint(endpoint=row), "The endpoint is switched on."),
    "disable": (
        lambda row: disable_webhook_endpoint(endpoint=row, reason="Switched off in the dashboard."),
        "The endpoint is switched off.",
    ),
    "delete": (lambda row: delete_webhook_endpoint(endpoint=row), "The endpoint is deleted."),
}


class EndpointForm(forms.Form):
    """A new endpoint."""

    store = forms.ChoiceField(label="Store")
    url = forms.CharField(label="Address", max_length=500, help_text="Such as https://shop.example.com/majuu.")
    event_types = forms.CharField(
        label="Events", required=False, help_text='Types such as "payment_intent.*", apart by spaces. Empty: all.'
    )
    description = forms.CharField(label="Description", max_length=255, required=False)

    def __init__(self, *args: Any, stores: list[Store], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        store_field: Any = self.fields["store"]
        store_field.choices = [(store.public_id, store.name) for store in stores]


@member_page(Action.READ_KEYS)
def webhooks(request: HttpRequest, place: Place) -> HttpResponse:
    """The endpoints of one mode."""
    page = page_of(request, _endpoints(place).filter(livemode=place.livemode))
    has_stores = bool(page.rows) or place.merchant.stores.exists()
    return render(request, "majuu_dashboard/webhooks.html", {"place": place, "page": page, "has_stores": has_stores})


@sensitive_variables("made")
@member_page(Action.WEBHOOKS, methods=("GET", "POST"), fresh=True)
def webhook_new(request: HttpRequest, place: Place) -> HttpResponse:
    """Add an endpoint, and show its secret once."""
    stores = list(place.merchant.stores.order_by("pk"))
    form = EndpointForm(request.POST or None, stores=stores)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        store = next(row for row in stores if row.public_id == given["store"])
        types = given["event_types"].replace(",", " ").split()
        try:
            made = create_webhook_endpoint(
                store=store,
                livemode=place.livemode,
                url=given["url"],
                event_types=types,
                description=given["description"],
            )
            return _show(request, place, made.endpoint, made.secret)
        except Problem as problem:
            add_problem(form, problem)
    title = f"New {place.mode} endpoint"
    return form_page(request, place, form, title=title, button="Add the endpoint", back=place.url("webhooks"))


@member_page(Action.READ_KEYS)
def webhook(request: HttpRequest, place: Place, endpoint_id: str) -> HttpResponse:
    """One endpoint and what was sent to it, newest first."""
    endpoint = place.get(_endpoints(place), endpoint_id)
    page = page_of(request, WebhookDelivery.objects.select_related("event").filter(endpoint=endpoint))
    return render(request, "majuu_dashboard/webhook.html", {"place": place, "endpoint": endpoint, "page": page})


@member_page(Action.WEBHOOKS, methods=("POST",))
def webhook_act(request: HttpRequest, place: Place, endpoint_id: str, what: str) -> HttpResponse:
    """Test, switch on or off, delete. All but the test need a fresh second factor: they decide who hears of money."""
    endpoint = place.get(_endpoints(place), endpoint_id)
    if what not in _ACTS:
        raise Http404
    if what != "test" and not is_fresh(request):
        return ask_for_second_factor(request)
    act, text = _ACTS[what]
    where = place.url("webhooks") if what == "delete" else place.url("webhook", endpoint.public_id)
    try:
        act(endpoint)
    except Problem as problem:
        return refused(request, problem, where)
    return done(request, text, where)


@sensitive_variables("made")
@member_page(Action.WEBHOOKS, methods=("POST",), fresh=True)
def webhook_rotate(request: HttpRequest, place: Place, endpoint_id: str) -> HttpResponse:
    """A new secret. For a day messages carry the signatures of both."""
    endpoint = place.get(_endpoints(place), endpoint_id)
    try:
        made = rotate_secret(endpoint=endpoint)
    except Problem as problem:
        return refused(request, problem, place.url("webhook", endpoint.public_id))
    return _show(request, place, made.endpoint, made.secret)


@member_page(Action.WEBHOOKS, methods=("POST",))
def delivery_again(request: HttpRequest, place: Place, delivery_id: str) -> HttpResponse:
    """Send an event to its endpoint once more."""
    rows = WebhookDelivery.objects.select_related("event", "endpoint")
    delivery = place.get(rows, delivery_id, path="endpoint__store__merchant")
    where = place.url("webhook", delivery.endpoint.public_id)
    try:
        replay_event(event=delivery.event, endpoint=delivery.endpoint)
    except Problem as problem:
        return refused(request, problem, where)
    return done(request, "It is sent again.", where)


def _endpoints(place: Place) -> Any:
    rows = WebhookEndpoint.objects.select_related("store").filter(store__merchant=place.merchant)
    return rows.exclude(status=WebhookEndpoint.Status.ARCHIVED)


def _show(request: HttpRequest, place: Place, endpoint: WebhookEndpoint, secret: str) -> HttpResponse:
    back = place.url("webhook", endpoint.public_id)
    return secret_page(request, place, title="The signing secret", secret=secret, text=_TEXT, back=back)
