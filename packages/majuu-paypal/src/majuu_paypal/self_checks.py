"""What is wrong with an account, found before customers find it. Nothing here moves money or repeats a secret."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from majuu_core.providers import InvalidCredentials, ProviderError, SelfCheck
from majuu_paypal.certificates import roots
from majuu_paypal.client import PaypalClient
from majuu_paypal.fields import inside, rows, text
from majuu_paypal.messages import NEEDED_EVENTS
from majuu_paypal.options import OptionsError, Verification, origin
from majuu_paypal.webhook_ids import list_webhooks

OK, WARNING, ERROR = "ok", "warning", "error"
_EVERYTHING = "*"


def run(
    client: Callable[[], PaypalClient],
    settings: Callable[[], Verification],
    *,
    webhook_id: str,
    livemode: bool,
    callback_url: str,
) -> Iterator[SelfCheck]:
    """One answer after the other. Both makers may raise OptionsError: a setting that is wrong is an answer too."""
    yield from _check_verification(settings)
    yield from _check_address(callback_url, livemode)
    try:
        paypal = client()
        paypal.tokens.renew()
    except OptionsError as problem:
        yield _error("settings", f"{problem}.")
        return
    except InvalidCredentials as problem:
        yield _error("access_token", str(problem))
        return
    except ProviderError as problem:
        yield _error("access_token", f"PayPal could not be asked: {problem}")
        return
    yield _ok("access_token", "PayPal takes the client id and secret.")
    yield from _check_webhook(paypal, webhook_id, callback_url)


def _check_verification(settings: Callable[[], Verification]) -> Iterator[SelfCheck]:
    try:
        found = settings()
        if found.online:
            yield _ok("webhook_verification", "PayPal is asked about every message.")
            return
        count = len(roots(found.root_certificates))
    except OptionsError as problem:
        yield _error("webhook_verification", f"{problem}.")
        return
    yield _ok("webhook_verification", f"Messages are verified here, with {count} root certificates.")


def _check_address(url: str, livemode: bool) -> Iterator[SelfCheck]:
    found = origin(url)
    if not found:
        yield _error("callback_url", "There is no address that PayPal could call. Set MAJUU_PUBLIC_URL.")
    elif not found.startswith("https://"):
        state = ERROR if livemode else WARNING
        yield SelfCheck(name="callback_url", state=state, message="PayPal calls https addresses only.")
    else:
        yield _ok("callback_url", "The address starts with https://.")


def _check_webhook(client: PaypalClient, webhook_id: str, url: str) -> Iterator[SelfCheck]:
    try:
        webhooks = list_webhooks(client)
    except ProviderError as problem:
        yield _error("webhook", f"PayPal could not be asked about the webhook: {problem}")
        return
    ours = [one for one in webhooks if inside(one, "url") == url]
    named = [one for one in webhooks if text(one, "id") == webhook_id] if webhook_id else ours
    if webhook_id and not named:
        yield _error("webhook", "The app has no webhook with this id. Copy the id beside the address, or leave it out.")
    elif not ours:
        yield _error("webhook", "No webhook of the app calls this account's callback address. Enter it at PayPal.")
    elif ours[0] not in named:
        yield _error("webhook", "The webhook with this id calls another address. Copy the id of the right one.")
    else:
        yield _ok("webhook", "PayPal's webhook calls this account's address.")
    if ours:
        yield _check_events(ours[0])


def _check_events(webhook: Mapping[str, Any]) -> SelfCheck:
    told = {text(row, "name") for row in rows(webhook, "event_types")}
    missing = [] if _EVERYTHING in told else sorted(set(NEEDED_EVENTS) - told)
    if not missing:
        return _ok("webhook_events", "The webhook is told all that Majuu needs.")
    state = ERROR if "CHECKOUT.ORDER.APPROVED" in missing or "PAYMENT.CAPTURE.COMPLETED" in missing else WARNING
    message = f"The webhook is not told {', '.join(missing)}. Choose these events, or all, at PayPal."
    return SelfCheck(name="webhook_events", state=state, message=message)


def _ok(name: str, message: str) -> SelfCheck:
    return SelfCheck(name=name, state=OK, message=message)


def _error(name: str, message: str) -> SelfCheck:
    return SelfCheck(name=name, state=ERROR, message=message)
