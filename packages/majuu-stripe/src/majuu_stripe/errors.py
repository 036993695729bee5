"""What the SDK raises, as the contract's exceptions. The only question that matters: can anything have happened?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from majuu_core.common.redaction import redact_text
from majuu_core.providers import InvalidCredentials, OutcomeUnknown, ProviderError, RateLimited, RequestRejected
from majuu_stripe.fields import Obj, inside, plain, text

if TYPE_CHECKING:
    import stripe

NOT_FOUND = "resource_missing"


class Refused(RequestRejected):
    """A 4xx with all that Stripe said. ``error`` may hold the payment intent or setup intent as it is now."""

    def __init__(self, message: str, *, code: str, error: Obj) -> None:
        super().__init__(message, code=code)
        self.error = error


class CardDeclined(Refused):
    """A 402: the bank said no. Whoever asked for money turns it into a result."""


def translate(problem: stripe.StripeError) -> ProviderError:
    """The contract's exception for an error of the SDK. Texts are ours or redacted; requests are not repeated."""
    status, error = problem.http_status or 0, _error(problem)
    message = redact_text(text(error, "message"))[:300]
    code = text(error, "code") or text(error, "type")
    if status == 401:
        return InvalidCredentials("Stripe refused the secret key. Check that it was not revoked or rolled.")
    if status == 403:
        return InvalidCredentials(
            "The Stripe key may not do this. Give the restricted key the permissions that the guide lists."
        )
    if status == 429 or code == "rate_limit":
        return RateLimited("Stripe refuses requests because there are too many", retry_after=_retry_after(problem))
    if text(error, "type") == "idempotency_error" or status == 409:
        # The same key was used before, so the first request has arrived, whatever became of it.
        return OutcomeUnknown("Stripe has a request with this idempotency key, and it is not done or was another one")
    if status == 402:
        return CardDeclined(f"Stripe declined: {message}", code=code or "card_declined", error=error)
    if 400 <= status < 500 and error:
        return Refused(f"Stripe refused the request: {message}", code=code or "invalid_request_error", error=error)
    return OutcomeUnknown(f"Stripe answered HTTP {status} with {code or 'a body that cannot be read'}")


def is_missing(problem: ProviderError) -> bool:
    """True when Stripe knows no such object."""
    return isinstance(problem, RequestRejected) and problem.code == NOT_FOUND


def _error(problem: stripe.StripeError) -> Obj:
    found = inside(problem.json_body, "error")
    return plain(found) if isinstance(found, dict) else {}


def _retry_after(problem: Any) -> int | None:
    headers = problem.headers or {}
    found = next((str(value) for name, value in headers.items() if str(name).lower() == "retry-after"), "")
    return int(found) if found.isascii() and found.isdigit() and len(found) < 6 else None
