"""The customer's page: one address a payment, ``/pay/<token>``.

The link itself is the authority: no session, no cookie that matters. So there is no CSRF token either, which would need
a cookie and a referrer, and both are missing where links are opened: in chat apps, and under our own Referrer-Policy.
What a foreign page could do with a link it knows, it could do from its own server as well; only sending payment prompts
through other people's browsers is refused.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from majuu_core.audit.services import Actor, acting_as
from majuu_core.checkout.forms import FormMaker, PaymentForm, first_refusal
from majuu_core.checkout.headers import private_page
from majuu_core.checkout.language import PARAMETER, choose_language, remember_language, requested_language
from majuu_core.checkout.page import build_page
from majuu_core.checkout.reasons import explain_refusal
from majuu_core.checkout.state import PageState, Stage, read_state, redirect_url, version_of
from majuu_core.checkout.texts import TEXTS
from majuu_core.common import clock
from majuu_core.common.problems import Conflict, Invalid, TooMany
from majuu_core.network.client import address_of
from majuu_core.network.policies import nonce_of
from majuu_core.payments.charges import PaymentChoice, confirm_payment_intent, offered_accounts
from majuu_core.payments.models import Charge, PaymentIntent
from majuu_core.payments.returns import hear_of_return
from majuu_core.payments.selectors import charges_of, intent_for_link
from majuu_core.throttling.services import caller_key, check

logger = logging.getLogger("majuu.checkout")
PAGE = "majuu_checkout:page"
NOTHING: Mapping[str, str] = MappingProxyType({})
RETURNED = "back"  # the customer has been at the provider
# Refusals that speak to the shop or its developers; the customer is told that the method is not available.
_FOR_THE_SHOP = frozenset(
    {
        "no_provider_account",
        "payment_method_currency_unsupported",
        "payment_method_not_offered",
        "payment_method_unknown",
        "payment_method_unsupported",
        "provider_account_unusable",
        "currency_unsupported",
    }
)
_UNAVAILABLE = Invalid("payment_method_unavailable", "This way to pay is not available right now.")


@csrf_exempt
@private_page
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, token: str) -> HttpResponse:
    """Show the payment as it stands; POST starts paying it."""
    intent = intent_for_link(token)
    if intent is None:
        return _not_found(request)
    if request.method == "POST":
        return _pay(request, intent)
    return _show(request, intent)


@private_page
@require_safe
def proceed(request: HttpRequest, token: str) -> HttpResponse:
    """Send the customer on to the provider, if that is where the payment continues; else back to the page."""
    intent = intent_for_link(token)
    if intent is None:
        return _not_found(request)
    state = read_state(intent, charges_of(intent), clock.now())
    if state.stage is not Stage.REDIRECT:
        return _back_to_page(request, intent)
    return _show(request, intent, forward=redirect_url(state.charge))


@private_page
@require_safe
def come_back(request: HttpRequest, token: str, *, gave_up: bool = False) -> HttpResponse:
    """Where a provider sends the customer: find out how it went, then show the page.

    The page works without an answer too. Its own address is the one to stay at, so that reloading asks nobody.
    """
    intent = intent_for_link(token)
    if intent is None:
        return _not_found(request)
    if request.method == "GET":
        with acting_as(_customer(request, intent)):
            hear_of_return(intent, gave_up=gave_up)
    return _back_to_page(request, intent, query={RETURNED: "1"})


@private_page
@require_safe
def state(request: HttpRequest, token: str) -> HttpResponse:
    """What the open page asks every few seconds: has anything changed, and will it."""
    intent = intent_for_link(token)
    if intent is None:
        return JsonResponse({}, status=404)
    charges = charges_of(intent)
    found = read_state(intent, charges, clock.now())
    return JsonResponse({"version": version_of(found, intent, charges), "live": found.is_live})


def _pay(request: HttpRequest, intent: PaymentIntent) -> HttpResponse:
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        return _back_to_page(request, intent)
    found = read_state(intent, charges_of(intent), clock.now())
    if found.stage is not Stage.PAY and not found.can_switch:
        return _back_to_page(request, intent)
    language = choose_language(request)
    form = _make_form(request, intent, entered=request.POST, state=found)
    refusal = first_refusal(form)
    try:
        if refusal is not None:
            raise refusal
        _check_starts(request, intent)
        charge = _confirm(request, intent, form)
    except TooMany as problem:
        again = Invalid(problem.code, problem.message)
        return _wait(_show(request, intent, form=form.with_error(again, explain_refusal(again, language))), problem)
    except Invalid as problem:
        shown = problem if problem.code not in _FOR_THE_SHOP else _UNAVAILABLE
        return _show(request, intent, form=form.with_error(shown, explain_refusal(shown, language)), status=422)
    except Conflict as problem:
        logger.info("checkout of %s: %s", intent.public_id, problem.code)
        if problem.code in _FOR_THE_SHOP:
            refused = form.with_error(_UNAVAILABLE, explain_refusal(_UNAVAILABLE, language))
            return _show(request, intent, form=refused, status=503)
        # The page knows best what to show now: that it goes on, is paid, has expired …
        return _back_to_page(request, intent)
    return _back_to_page(request, intent, forward=bool(redirect_url(charge)))


def _check_starts(request: HttpRequest, intent: PaymentIntent) -> None:
    """Raises TooMany when too many payments were started from this address, or on pages of this store."""
    check("prompt_address", caller_key(request))
    check("prompt_store", f"{intent.store_id} {intent.livemode}")


def _wait(response: HttpResponse, problem: TooMany) -> HttpResponse:
    response.status_code = 429
    response.headers["Retry-After"] = str(problem.retry_after)
    return response


def _confirm(request: HttpRequest, intent: PaymentIntent, form: PaymentForm) -> Charge:
    choice = PaymentChoice(
        payment_method=form.chosen.code if form.chosen else "",
        payment_method_data=form.values(),
    )
    with acting_as(_customer(request, intent)):
        _, charge = confirm_payment_intent(intent=intent, choice=choice, request_key=f"checkout:{form.sent_attempt}")
    return charge


def _customer(request: HttpRequest, intent: PaymentIntent) -> Actor:
    address = address_of(request)
    return Actor(type="customer", remote_addr=address, subject=intent.public_id)


def _show(
    request: HttpRequest,
    intent: PaymentIntent,
    *,
    form: PaymentForm | None = None,
    status: int = 200,
    forward: str = "",
) -> HttpResponse:
    charges, now, language = charges_of(intent), clock.now(), choose_language(request)
    found = read_state(intent, charges, now)
    if found.stage is Stage.PAY or found.can_switch:
        form = form or _make_form(request, intent, state=found)
    else:
        form, status = None, 200
    shown = build_page(
        intent=intent,
        charges=charges,
        state=found,
        language=language,
        now=now,
        form=form,
        has_returned=RETURNED in request.GET,
    )
    return _render(request, intent, "page", {"page": shown, "forward": forward}, status=status)


def _make_form(
    request: HttpRequest,
    intent: PaymentIntent,
    *,
    entered: Mapping[str, str] | None = None,
    state: PageState | None = None,
) -> PaymentForm:
    is_retry = state is not None and state.failed is not None
    offered = offered_accounts(intent)
    if state is not None and state.can_switch and state.charge is not None:
        offered.pop(state.charge.payment_method, None)  # choosing the same again would only change its reference
    return FormMaker(intent, offered, choose_language(request), is_retry, entered or {}).make()


def _render(
    request: HttpRequest, intent: PaymentIntent | None, name: str, context: dict[str, object], *, status: int
) -> HttpResponse:
    language = choose_language(request)
    addresses = {"page_url": request.path} if intent is None else _addresses(request, intent)
    context |= addresses | {
        "texts": TEXTS[language],
        "language": language,
        "all_texts": TEXTS,
        "csp_nonce": nonce_of(request),
    }
    response = render(request, f"majuu_checkout/{name}.html", context, status=status)
    response.headers["Content-Language"] = language
    remember_language(request, response)
    return response


def _addresses(request: HttpRequest, intent: PaymentIntent) -> dict[str, object]:
    token = intent.link_token
    return {
        "page_url": reverse(PAGE, args=[token]),
        "form_url": reverse(PAGE, args=[token]) + _query(request),
        "state_url": reverse("majuu_checkout:state", args=[token]),
    }


def _back_to_page(
    request: HttpRequest, intent: PaymentIntent, *, forward: bool = False, query: Mapping[str, str] = NOTHING
) -> HttpResponse:
    name = "majuu_checkout:proceed" if forward else PAGE
    response = HttpResponseRedirect(reverse(name, args=[intent.link_token]) + _query(request, query))
    response.status_code = 303
    return response


def _query(request: HttpRequest, more: Mapping[str, str] = NOTHING) -> str:
    language = requested_language(request)
    values = {**({PARAMETER: language} if language else {}), **more}
    return f"?{urlencode(values)}" if values else ""


def _not_found(request: HttpRequest) -> HttpResponse:
    return _render(request, None, "not_found", {}, status=404)
