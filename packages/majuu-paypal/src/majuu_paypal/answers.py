"""Reads PayPal's refusals: which issue, which meaning, and above all whether anything can have happened."""

from __future__ import annotations

from typing import Any

from majuu_core.common.redaction import redact_text
from majuu_core.providers import InvalidCredentials, OutcomeUnknown, ProviderError, RateLimited, RequestRejected
from majuu_core.providers.http import Answer
from majuu_paypal.fields import rows, text

_LONGEST_TEXT = 300


def issue(answer: Answer) -> str:
    """What PayPal objects to, in its own word: the first issue of a 422 (``INSTRUMENT_DECLINED``), else its name."""
    body = answer.json()
    first = next(iter(rows(body, "details")), None)
    return text(first, "issue") or text(body, "name") or text(body, "error")


def issue_text(answer: Answer) -> str:
    """PayPal's sentence about it, fit to be shown to the merchant."""
    body = answer.json()
    first = next(iter(rows(body, "details")), None)
    found = text(first, "description") or text(body, "message") or text(body, "error_description")
    field = text(first, "field")
    return redact_text(f"{found} ({field})" if field else found)[:_LONGEST_TEXT]


def refusal(answer: Answer) -> ProviderError:
    """The exception for an answer that is not the one we hoped for.

    Certain that nothing happened: RateLimited, InvalidCredentials and RequestRejected. All else, a 5xx above all, is
    OutcomeUnknown; so is a 409, which says that the same request is being worked on.
    """
    if answer.status == 429:
        return RateLimited("PayPal is refusing requests because there are too many", retry_after=_retry_after(answer))
    if answer.status == 401:
        return InvalidCredentials("PayPal refused the client id and secret. Check that they belong to this mode.")
    found = issue(answer)
    if 400 <= answer.status < 500 and answer.status not in {408, 409} and found:
        return RequestRejected(f"PayPal refused the request: {found}. {issue_text(answer)}".strip(), code=found[:64])
    return OutcomeUnknown(f"PayPal answered HTTP {answer.status} with {found or 'a body that is not its own'}")


def body_of(answer: Answer, *statuses: int) -> dict[str, Any]:
    """The JSON object of a good answer. Raises what ``refusal`` says for another status, OutcomeUnknown for rubbish."""
    if answer.status not in (statuses or (200, 201)):
        raise refusal(answer)
    body = answer.json()
    if not isinstance(body, dict):
        raise OutcomeUnknown("PayPal's answer cannot be read")
    return body


def _retry_after(answer: Answer) -> int | None:
    told = next((value for name, value in answer.headers.items() if name.lower() == "retry-after"), "")
    return int(told) if told.isascii() and told.isdigit() and len(told) < 6 else None
