"""Keeping secrets out of everything that is stored, shown or logged."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from majuu_core.common.redaction import contains_card_number
from majuu_core.providers import ProviderError, Result, SupportsWebhooks
from majuu_core.testing.harness import NotOffered, Outcome, ProviderHarness, WebhookKind
from majuu_core.testing.kit import check
from majuu_core.testing.steps import attempt, expect, finish, pay, start

_PAY = ("payment",)
_ENDS = tuple(outcome for outcome in Outcome if outcome is not Outcome.FAILS_LATE)  # that one is for refunds
_TROUBLE = (Outcome.LOST_PAID, Outcome.NOT_SENT, Outcome.REJECTED, Outcome.RATE_LIMITED, Outcome.SERVER_ERROR)


def _expect_clean(harness: ProviderHarness, text: str, where: str) -> None:
    expect(not any(secret in text for secret in harness.secrets if secret), f"a secret stands in {where}")
    expect(not contains_card_number(text), f"a card number stands in {where}")


def _payments(harness: ProviderHarness) -> Iterator[Result | ProviderError]:
    for outcome in _ENDS:
        try:
            request = harness.payment(outcome)
        except NotOffered:
            continue
        yield attempt(lambda request=request: finish(harness, request, start(harness, request)))  # type: ignore[misc]


@check(
    "secrecy",
    why="repr() ends up in tracebacks, and tracebacks in logs and mails.",
    fix="Hold secrets as pydantic SecretStr and take them out only where they are used.",
    required=True,
)
def not_in_repr(harness: ProviderHarness) -> None:
    if not harness.secrets:
        raise NotOffered("the harness lists no secrets, so nothing can be checked")
    provider = harness.make_provider()
    for thing in (provider, provider.context, provider.context.credentials):
        _expect_clean(harness, f"{thing!r} {thing}", f"the repr of {type(thing).__name__}")


@check(
    "secrecy",
    needs=_PAY,
    why="raw is stored and shown in the console to people who may not see keys or card numbers.",
    fix="Pass what you keep through majuu_core.common.redaction.redact.",
    required=True,
)
def not_in_results(harness: ProviderHarness) -> None:
    for seen in _payments(harness):
        if isinstance(seen, Result):
            _expect_clean(harness, f"{seen!r} {json.dumps(dict(seen.raw), default=str)}", "a result")


@check(
    "secrecy",
    needs=_PAY,
    why="Every exchange is stored. ProviderHttp hides what looks like a secret; the rest is for the provider to hide.",
    fix="Send secrets in headers or fields whose names say so, never in the address.",
)
def not_in_stored_exchanges(harness: ProviderHarness) -> None:
    list(_payments(harness))
    if not harness.exchanges:
        raise NotOffered("the harness records no exchanges")
    for exchange in harness.exchanges:
        _expect_clean(harness, repr(exchange), f"the exchange {exchange.operation}")


@check(
    "secrecy",
    needs=_PAY,
    why="Exceptions are logged with their text and with the chain of what caused them.",
    fix="Write exception texts of your own; do not put requests, headers or addresses into them.",
)
def not_in_exceptions(harness: ProviderHarness) -> None:
    for outcome in _TROUBLE:
        try:
            request = harness.payment(outcome)
        except NotOffered:
            continue
        seen = attempt(lambda request=request: start(harness, request))  # type: ignore[misc]
        if isinstance(seen, ProviderError):
            _expect_clean(harness, "".join(traceback.format_exception(seen)), f"a {type(seen).__name__}")


@check(
    "secrecy",
    needs=_PAY,
    why="Logs are kept long, read by many and sent elsewhere.",
    fix="Log ids and outcomes; pass anything else through majuu_core.common.redaction.redact.",
    required=True,
)
def not_in_logs(harness: ProviderHarness) -> None:
    with _captured() as lines:
        list(_payments(harness))
    for line in lines:
        _expect_clean(harness, line, "a log line")


@check(
    "secrecy",
    needs=("payment", "verify_webhook", "parse_webhook", "webhook_response"),
    why="Events are stored and shown with what the provider sent; its message may hold more than we want to keep.",
    fix="Pass what you keep of a message through majuu_core.common.redaction.redact.",
)
def not_in_events(harness: ProviderHarness) -> None:
    request, result = pay(harness)
    message = harness.webhook(WebhookKind.GOOD, request, result)
    for event in cast(SupportsWebhooks, harness.make_provider()).parse_webhook(message):
        _expect_clean(harness, f"{event!r} {json.dumps(dict(event.result.raw), default=str)}", "an event")


@contextmanager
def _captured() -> Iterator[list[str]]:
    lines: list[str] = []
    handler, root = logging.Handler(), logging.getLogger()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield lines
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
