"""What is wrong with an account, found before customers find it. Nothing here moves money or repeats a secret."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from majuu_core.providers import InvalidCredentials, ProviderError, SelfCheck
from majuu_stripe.account import Account
from majuu_stripe.events import NEEDED_EVENTS
from majuu_stripe.fields import Obj, inside, text

OK, WARNING, ERROR = "ok", "warning", "error"
# Before this version payments and charges look otherwise; they are read all the same, with fewer details.
_OLDEST_FULL_VERSION = "2022-11-15"


def check_mode(account: Account) -> None:
    """One cheap authenticated call. Raises InvalidCredentials when the key is refused or of the other mode."""
    found = account.api.send(lambda v1: v1.balance.retrieve())
    if inside(found, "livemode") is not account.livemode:
        raise InvalidCredentials(f"Stripe says that this key is not of {_mode(account)} mode.")


def run(account: Account, callback_url: str) -> Iterator[SelfCheck]:
    """One answer after the other."""
    try:
        check_mode(account)
    except ProviderError as problem:
        yield SelfCheck(name="secret_key", state=ERROR, message=str(problem))
        return
    yield SelfCheck(name="secret_key", state=OK, message=f"Stripe takes the key, in {_mode(account)} mode.")
    yield _check_account(account)
    yield _check_secrets(account)
    yield from _check_endpoint(account, callback_url)
    if not account.publishable_key:
        text_ = "Without a publishable key a bank's question (3-D Secure) needs a return_url. Stripe's page works."
        yield SelfCheck(name="publishable_key", state=OK, message=text_)


def _check_account(account: Account) -> SelfCheck:
    try:
        found = account.api.send(lambda v1: v1.accounts.retrieve_current())
    except ProviderError as problem:
        text_ = f"Whether Stripe lets this account charge cards could not be asked: {problem}"
        return SelfCheck(name="charges_enabled", state=WARNING, message=text_)
    if inside(found, "charges_enabled") is not True:
        text_ = "Stripe does not let this account charge cards yet. Finish its activation in the dashboard."
        return SelfCheck(name="charges_enabled", state=ERROR, message=text_)
    return SelfCheck(name="charges_enabled", state=OK, message="Stripe lets this account charge cards.")


def _check_secrets(account: Account) -> SelfCheck:
    count = len(account.credentials.webhook_secrets)
    if not count:
        text_ = "There is no signing secret, so no message of Stripe is believed. Enter the endpoint's whsec_…."
        return SelfCheck(name="webhook_secrets", state=ERROR, message=text_)
    if count > 2:
        text_ = f"There are {count} signing secrets. Take out those that were rolled."
        return SelfCheck(name="webhook_secrets", state=WARNING, message=text_)
    return SelfCheck(name="webhook_secrets", state=OK, message=f"Signing secrets: {count}.")


def _check_endpoint(account: Account, callback_url: str) -> Iterator[SelfCheck]:
    if not _is_web_address(callback_url):
        text_ = "There is no address that Stripe could call. Set MAJUU_PUBLIC_URL."
        yield SelfCheck(name="webhook_endpoint", state=ERROR, message=text_)
        return
    try:
        endpoints = list(account.api.pages(lambda v1, params: v1.webhook_endpoints.list(params), {}, most=5))
    except InvalidCredentials:
        text_ = "The restricted key may not list webhook endpoints, so it is not known whether one is made."
        yield SelfCheck(name="webhook_endpoint", state=WARNING, message=text_)
        return
    except ProviderError as problem:
        yield SelfCheck(name="webhook_endpoint", state=WARNING, message=f"Stripe could not be asked: {problem}")
        return
    mine = [one for one in endpoints if text(one, "url").rstrip("/") == callback_url.rstrip("/")]
    if not mine:
        text_ = "Stripe has no webhook endpoint with this account's address. Make one in the dashboard."
        yield SelfCheck(name="webhook_endpoint", state=ERROR, message=text_)
        return
    yield from _check_what_it_sends(mine[0])


def _check_what_it_sends(endpoint: Obj) -> Iterator[SelfCheck]:
    if text(endpoint, "status") == "disabled":
        text_ = "The webhook endpoint is switched off at Stripe. Enable it in the dashboard."
        yield SelfCheck(name="webhook_endpoint", state=ERROR, message=text_)
    else:
        yield SelfCheck(name="webhook_endpoint", state=OK, message="Stripe calls this account's address.")
    found = inside(endpoint, "enabled_events")
    sent = {event for event in found if isinstance(event, str)} if isinstance(found, list) else set()
    missing = [] if "*" in sent else [event for event in NEEDED_EVENTS if event not in sent]
    if missing:
        text_ = f"The webhook endpoint does not send {', '.join(missing)}. Add them in the dashboard."
        yield SelfCheck(name="webhook_events", state=ERROR, message=text_)
    else:
        yield SelfCheck(name="webhook_events", state=OK, message="The endpoint sends every event that is needed.")
    version = text(endpoint, "api_version")
    if version and version[:10] < _OLDEST_FULL_VERSION:
        text_ = f"The endpoint uses the API version {version[:30]}. Make it anew with the current one."
        yield SelfCheck(name="api_version", state=WARNING, message=text_)
    else:
        yield SelfCheck(name="api_version", state=OK, message=f"API version: {version[:30] or 'the account’s own'}.")


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return False


def _mode(account: Account) -> str:
    return "live" if account.livemode else "test"
