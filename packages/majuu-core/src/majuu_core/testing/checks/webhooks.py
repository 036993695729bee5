"""Listening to the provider."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from majuu_core.providers import (
    PaymentRequest,
    ProviderEvent,
    Result,
    SupportsWebhooks,
    Trust,
    WebhookRejected,
    WebhookRequest,
)
from majuu_core.testing.harness import AccountWebhook, NotOffered, ProviderHarness, WebhookKind
from majuu_core.testing.kit import CheckFailed, check
from majuu_core.testing.steps import expect, pay

_NEEDS = ("payment", "verify_webhook", "parse_webhook", "webhook_response")
_EVENT_TYPES = frozenset({"payment.updated", "refund.updated", "payout.updated", "dispute.updated"})
_RUBBISH = (b"", b"{", b"[]", b"null", b"0", b'"text"', b"\xff\xfe", b"{}", b'{"a":' * 400, b"a=b&c=d", b"<xml/>")


def _provider(harness: ProviderHarness) -> SupportsWebhooks:
    return cast(SupportsWebhooks, harness.make_provider())


def _good(harness: ProviderHarness) -> tuple[PaymentRequest, Result, WebhookRequest]:
    request, result = pay(harness)
    return request, result, harness.webhook(WebhookKind.GOOD, request, result)


def _events(harness: ProviderHarness, message: WebhookRequest) -> Sequence[ProviderEvent]:
    events = _provider(harness).parse_webhook(message)
    expect(events, "a good webhook holds no event")
    return events


def _expect_refused(harness: ProviderHarness, kind: WebhookKind) -> None:
    """A provider that claims signatures must be tested against bad ones: there the harness may not decline."""
    request, result, good = _good(harness)
    if _provider(harness).verify_webhook(good) is Trust.UNSIGNED:
        raise NotOffered("the provider does not sign; core fetches the truth before it believes")
    try:
        message = harness.webhook(kind, request, result)
    except NotOffered as reason:
        raise CheckFailed(f"webhooks are called signed, but the harness cannot make one that is {kind}") from reason
    try:
        trust = _provider(harness).verify_webhook(message)
    except WebhookRejected:
        return
    expect(False, f"a webhook that is {kind} was taken as {trust}")


@check(
    "webhook",
    needs=_NEEDS,
    why="A provider whose messages are turned away is a provider that nobody hears.",
    fix="Return Trust.SIGNED for a verified message, Trust.UNSIGNED when the provider gives no proof.",
    required=True,
)
def good_one_is_accepted(harness: ProviderHarness) -> None:
    trust = _provider(harness).verify_webhook(_good(harness)[2])
    expect(isinstance(trust, Trust), f"verify_webhook returned {trust!r}; a wrong value would be taken for trust")


@check(
    "webhook",
    needs=_NEEDS,
    why="Anybody can write to an address on the internet and say that they paid.",
    fix="Compute the signature with this account's secret and compare in constant time.",
)
def forged_one_is_refused(harness: ProviderHarness) -> None:
    _expect_refused(harness, WebhookKind.FORGED)


@check(
    "webhook",
    needs=_NEEDS,
    why="A signature that does not cover the body lets anybody change the amount.",
    fix="Verify over the raw bytes of the body, exactly as they came.",
)
def changed_one_is_refused(harness: ProviderHarness) -> None:
    _expect_refused(harness, WebhookKind.TAMPERED)


@check(
    "webhook",
    needs=_NEEDS,
    why="A message that was overheard can be sent again next year.",
    fix="Sign and check the time of sending; refuse what is older than some minutes.",
)
def stale_one_is_refused(harness: ProviderHarness) -> None:
    _expect_refused(harness, WebhookKind.STALE)


@check(
    "webhook",
    needs=_NEEDS,
    why="Leaving the signature out must not be easier than forging it.",
    fix="Raise WebhookRejected when the signature is missing; never treat it as nothing to check.",
)
def one_without_signature_is_refused(harness: ProviderHarness) -> None:
    _expect_refused(harness, WebhookKind.UNSIGNED)


@check(
    "webhook",
    needs=_NEEDS,
    why="Where there is no signature the sender's address is the first thing to check.",
    fix="Compare remote_addr with the provider's published addresses.",
)
def wrong_sender_is_refused(harness: ProviderHarness) -> None:
    request, result, _ = _good(harness)
    message = harness.webhook(WebhookKind.WRONG_SENDER, request, result)
    try:
        _provider(harness).verify_webhook(message)
    except WebhookRejected:
        return
    expect(False, f"a webhook from {message.remote_addr} was taken")


@check(
    "webhook",
    needs=_NEEDS,
    why="Scanners send rubbish all day; an exception other than WebhookRejected is an error page and an alarm.",
    fix="Raise WebhookRejected for every body that cannot be read.",
    required=True,
)
def rubbish_is_refused_calmly(harness: ProviderHarness) -> None:
    good = _good(harness)[2]
    for body in _RUBBISH:
        for step in ("verify_webhook", "parse_webhook"):
            try:
                getattr(harness.make_provider(), step)(replace(good, body=body))
            except WebhookRejected:
                continue
            except Exception as problem:  # noqa: BLE001 - whatever else comes is the finding
                expect(False, f"{step} of the body {body[:20]!r} raised {type(problem).__name__}")
            else:
                expect(step == "verify_webhook", f"{step} took the body {body[:20]!r}")


@check(
    "webhook",
    needs=_NEEDS,
    why="Headers are the sender's to choose; the check must survive strange ones.",
    fix="Raise WebhookRejected when a header is missing, too long or not what it should be.",
    required=True,
)
def strange_headers_are_survived(harness: ProviderHarness) -> None:
    good = _good(harness)[2]
    for value in ("", "é", "9" * 400, "-1", "t=,v1=", "\x00"):
        strange = replace(good, headers=dict.fromkeys(good.headers, value))
        try:
            _provider(harness).verify_webhook(strange)
        except WebhookRejected:
            continue
        except Exception as problem:  # noqa: BLE001 - whatever else comes is the finding
            expect(False, f"headers of {value[:8]!r} raised {type(problem).__name__}")


@check(
    "webhook",
    needs=_NEEDS,
    why="Providers deliver twice. The event id is all that keeps one payment from being applied twice.",
    fix="Take the provider's own event id, or derive one from the content; never from time or chance.",
    required=True,
)
def event_id_is_stable(harness: ProviderHarness) -> None:
    message = _good(harness)[2]
    first = [event.event_id for event in _events(harness, message)]
    second = [event.event_id for event in _events(harness, message)]
    expect(first == second, f"one message gave the event ids {first} and {second}")
    expect(all(first), "an event id is empty")


@check(
    "webhook",
    needs=_NEEDS,
    why="Two payments under one event id: the second is thrown away as a duplicate.",
    fix="Derive the event id from the payment and what happened to it.",
    required=True,
)
def two_payments_have_two_event_ids(harness: ProviderHarness) -> None:
    first = {event.event_id for event in _events(harness, _good(harness)[2])}
    second = {event.event_id for event in _events(harness, _good(harness)[2])}
    expect(not first & second, f"two payments share the event id {sorted(first & second)}")


@check(
    "webhook",
    needs=_NEEDS,
    why="An event that names nothing of ours cannot be applied; it waits for a person.",
    fix="Set provider_reference as the answer did, and reference to our id where the message carries it.",
    required=True,
)
def event_names_the_payment(harness: ProviderHarness) -> None:
    request, result, message = _good(harness)
    for event in _events(harness, message):
        ours = event.reference == request.reference
        theirs = event.provider_reference == result.provider_reference
        expect(ours or theirs, f"the event names {event.reference} and {event.provider_reference}")
        wrong = event.reference not in (None, request.reference)
        expect(not wrong, f"the event is about {request.reference} but names {event.reference}")


@check(
    "webhook",
    needs=_NEEDS,
    why="Core applies what a signed event says; for unsigned ones the console shows it beside the truth.",
    fix="Read the amount from the message in the payment's currency and major unit.",
)
def event_tells_the_amount(harness: ProviderHarness) -> None:
    request, _, message = _good(harness)
    for event in _events(harness, message):
        expect(
            event.result.amount in (None, request.amount), f"{request.amount} paid, event says {event.result.amount}"
        )


@check(
    "webhook",
    needs=_NEEDS,
    why="Core sorts events by type and time; an unknown type is parked, a time without zone is the wrong hour.",
    fix="Use the contract's types and times with a zone.",
    required=True,
)
def event_is_well_formed(harness: ProviderHarness) -> None:
    for event in _events(harness, _good(harness)[2]):
        expect(event.type in _EVENT_TYPES, f"the event type {event.type!r} is not known")
        expect(event.occurred_at.utcoffset() is not None, "occurred_at has no time zone")
        expect(len(event.event_id) <= 255, "the event id is longer than 255 characters")


@check(
    "webhook",
    needs=_NEEDS,
    why="A provider that does not hear yes keeps sending, and some switch the address off.",
    fix="Answer accepted messages with a 2xx, never with a redirect.",
)
def accepted_is_answered_with_yes(harness: ProviderHarness) -> None:
    answer = _provider(harness).webhook_response(accepted=True)
    expect(200 <= answer.status < 300, f"an accepted webhook is answered with {answer.status}")


@check(
    "webhook",
    needs=_NEEDS,
    why="A web server that reads JSON and writes it anew changes the bytes; what was signed is no longer there.",
    fix="Verify over WebhookRequest.body as it came; never over JSON that was read and written again.",
)
def body_written_anew_is_refused(harness: ProviderHarness) -> None:
    good = _good(harness)[2]
    if _provider(harness).verify_webhook(good) is Trust.UNSIGNED:
        raise NotOffered("the provider does not sign; core fetches the truth before it believes")
    try:
        anew = json.dumps(json.loads(good.body), indent=3, sort_keys=True).encode()
    except ValueError:
        raise NotOffered("the provider's messages are not JSON") from None
    seen = attempt_trust(harness, replace(good, body=anew))
    expect(seen is None, f"a body that was read and written anew was taken as {seen}")


@check(
    "webhook",
    needs=_NEEDS,
    why="One secret may serve several accounts of a platform; an event of another one must not touch this one.",
    fix="Compare the account that the message names with this one; raise WebhookRejected when it is another.",
)
def another_accounts_event_is_refused(harness: ProviderHarness) -> None:
    request, result = pay(harness)
    message = harness.account_webhook(AccountWebhook.OTHER_ACCOUNT, request, result)
    seen = attempt_trust(harness, message)
    if seen is None:
        return
    try:
        events = _provider(harness).parse_webhook(message)
    except WebhookRejected:
        return
    expect(not events, f"an event of another account was taken as {seen}")


@check(
    "webhook",
    needs=_NEEDS,
    why="While a secret is replaced messages arrive under both; refusing the old one loses an hour of payments.",
    fix="Keep several secrets in the credentials and accept a signature by any of them.",
)
def listed_old_secret_is_accepted(harness: ProviderHarness) -> None:
    request, result = pay(harness)
    seen = attempt_trust(harness, harness.account_webhook(AccountWebhook.OLD_SECRET, request, result))
    expect(seen is Trust.SIGNED, "a message under a secret that is still listed was refused")


@check(
    "webhook",
    needs=_NEEDS,
    why="A secret is replaced because somebody may know it. Once it is taken out it is worth nothing.",
    fix="Verify with the secrets of the credentials only; remember none.",
)
def retired_secret_is_refused(harness: ProviderHarness) -> None:
    request, result = pay(harness)
    seen = attempt_trust(harness, harness.account_webhook(AccountWebhook.RETIRED_SECRET, request, result))
    expect(seen is None, f"a message under a secret that was taken out was taken as {seen}")


@check(
    "webhook",
    needs=_NEEDS,
    why="A redelivery carries another time and signature; under another event id it would be applied twice.",
    fix="Never let headers, the time of sending or a delivery number into the event id.",
)
def redelivery_has_the_same_event_id(harness: ProviderHarness) -> None:
    request, result, message = _good(harness)
    first = [event.event_id for event in _events(harness, message)]
    again = harness.redelivery(request, result)
    second = [event.event_id for event in _events(harness, again)]
    expect(first == second, f"delivered again, {first} became {second}")


@check(
    "webhook",
    needs=_NEEDS,
    why="A webhook may overtake the answer: core does not know the provider's reference yet, only its own.",
    fix="Send our reference along (as the provider's merchant reference or metadata) and read it from the message.",
)
def event_names_our_reference(harness: ProviderHarness) -> None:
    request, _, message = _good(harness)
    if message.reference == request.reference:
        raise NotOffered("the message comes to the payment's own address, which names it")
    for event in _events(harness, message):
        expect(event.reference == request.reference, f"the event names {event.reference}, not {request.reference}")


def attempt_trust(harness: ProviderHarness, message: WebhookRequest) -> Trust | None:
    """What verify_webhook says of a message; None when it refuses it."""
    try:
        return _provider(harness).verify_webhook(message)
    except WebhookRejected:
        return None
