"""Reads Daraja's refusals: which envelope, which meaning, and above all whether anything can have happened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from majuu_core.common.redaction import redact_text
from majuu_core.providers import InvalidCredentials, OutcomeUnknown, ProviderError, RateLimited, RequestRejected
from majuu_core.providers.http import Answer
from majuu_mpesa.codes import code_text
from majuu_mpesa.text import plain_text

_INVALID_TOKEN_CODES = frozenset({"404.001.03", "401.002.01", "400.003.01", "401.003.01", "401.001"})
_INVALID_TOKEN_TEXT = "invalid access token"  # noqa: S105 - a message
_NO_PRODUCT_TEXT = "no apiproduct match"
_WRONG_ACCOUNT_TEXTS = ("wrong credentials", "merchant does not exist")
_TOO_MANY_TEXTS = ("spike arrest", "quota violation", "policies.ratelimit")


@dataclass(frozen=True, slots=True)
class ErrorBody:
    """Daraja's refusal in one shape, whichever of its three envelopes it came in."""

    code: str
    message: str

    def says(self, *texts: str) -> bool:
        """True when the code or message holds one of these lower-case texts."""
        lowered = f"{self.code} {self.message}".lower()
        return any(text in lowered for text in texts)


def read_error(answer: Answer) -> ErrorBody | None:
    """The error in an answer: Daraja's own envelope, the gateway's ``fault`` or a SOAP fault; None when unreadable."""
    body = answer.json()
    if not isinstance(body, dict):
        return None
    if "errorCode" in body or "errorMessage" in body:
        return _error(body.get("errorCode"), body.get("errorMessage"))
    fault = body.get("fault")
    if isinstance(fault, dict):
        return _error(_inside(fault, "detail", "errorcode"), fault.get("faultstring"))
    fault = _inside(body, "Envelope", "Body", "Fault")
    if isinstance(fault, dict):
        return _error(_inside(fault, "detail", "source", "errorcode"), fault.get("faultstring"))
    return None


def refusal(answer: Answer) -> ProviderError:
    """The exception for an answer that is not the one we hoped for.

    Certain that nothing happened: RateLimited, InvalidCredentials, RequestRejected (a 4xx in an envelope we know).
    Everything else, a 5xx above all, is OutcomeUnknown: the prompt may be on its way.
    """
    error = read_error(answer)
    if answer.status == 429 or (answer.status >= 400 and error and error.says(*_TOO_MANY_TEXTS)):
        return RateLimited("M-Pesa is refusing requests because there are too many", retry_after=_retry_after(answer))
    if answer.status >= 400 and error and error.says(*_WRONG_ACCOUNT_TEXTS):
        return InvalidCredentials(f"M-Pesa refused the shortcode or passkey: {error.message}")
    if 400 <= answer.status < 500 and error:
        return RequestRejected(f"M-Pesa refused the request: {error.message}", code=error.code)
    shown = f"{error.code} {error.message}" if error else "a body that is not Daraja's"
    return OutcomeUnknown(f"M-Pesa answered HTTP {answer.status} with {shown}")


def refuses_token(answer: Answer) -> bool:
    """True when the gateway did not take the access token. Then nothing was executed."""
    if not 400 <= answer.status < 500:
        return False
    error = read_error(answer)
    if error is None or error.says(_NO_PRODUCT_TEXT):
        return False
    return error.code in _INVALID_TOKEN_CODES or error.says(_INVALID_TOKEN_TEXT)


def refuses_product(answer: Answer) -> bool:
    """True when the app on the Daraja portal lacks the API that was called."""
    error = read_error(answer) if answer.status >= 400 else None
    return error is not None and error.says(_NO_PRODUCT_TEXT)


def _error(code: Any, message: Any) -> ErrorBody:
    text = redact_text(message) if isinstance(message, str) else ""
    return ErrorBody(code_text(code) or "", plain_text(text, limit=300))


def _inside(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _retry_after(answer: Answer) -> int | None:
    text = next((value for name, value in answer.headers.items() if name.lower() == "retry-after"), "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else None
