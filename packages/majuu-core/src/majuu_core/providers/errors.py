"""What a provider raises when there is no answer. A decline is a Result, never an exception."""

from __future__ import annotations

from collections.abc import Sequence

from majuu_core.providers.types import Violation


class ProviderError(Exception):
    """The provider gave no usable answer."""


class NotSent(ProviderError):
    """The request never left us (name not resolved, connection refused, breaker open). Safe to send again."""


class OutcomeUnknown(ProviderError):
    """Timed out or 5xx after sending: the money may have moved.

    Core resends only when ``info.replay_safe``; otherwise it fetches, or waits for the webhook.
    """


class NotKnown(OutcomeUnknown):
    """The provider answered, and knows nothing of what it was asked about, or not yet."""


class RequestRejected(ProviderError):
    """The provider refused the request itself (4xx): a bug or wrong configuration. Nothing happened; do not retry.

    ``code`` and ``message`` are the provider's own, for the merchant's developers.
    """

    def __init__(self, message: str, *, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class InvalidCredentials(ProviderError):
    """The account's keys are wrong or revoked. Nothing happened; tell the merchant, do not retry."""


class RateLimited(ProviderError):
    """The provider refused for lack of capacity; nothing happened. ``retry_after`` is in seconds, if it was told."""

    def __init__(self, message: str, *, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class WebhookRejected(ProviderError):
    """Bad signature, wrong sender, stale timestamp or a body that cannot be read. Core keeps the raw request."""


class InvalidPaymentData(ProviderError):
    """The payer's data or the amount cannot be used with this method; found before anything was sent.

    ``violations`` name the field and say what to do.
    """

    def __init__(self, *violations: Violation) -> None:
        super().__init__("; ".join(violation.message for violation in violations))
        self.violations: Sequence[Violation] = violations
