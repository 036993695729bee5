"""Daraja's synchronous errors, each with the HTTP status and envelope it comes in."""

from __future__ import annotations


class Refusal(Exception):
    """A request Daraja does not take; becomes ``{"requestId", "errorCode", "errorMessage"}``."""

    def __init__(self, status: int, code: str, message: str) -> None:
        """HTTP ``status``, Daraja's ``code`` and ``message``."""
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


class BlankRefusal(Exception):
    """The answer to a wrong consumer key or secret: HTTP 400 and nothing else."""


def invalid_field(name: str) -> Refusal:
    """A field that is missing or wrong."""
    return Refusal(400, "400.002.02", f"Bad Request - Invalid {name}")


def invalid_payload() -> Refusal:
    """A body that is not a JSON object."""
    return Refusal(400, "400.002.05", "Invalid Request Payload")


def invalid_token() -> Refusal:
    """No token, an unknown one, or one that has expired or been replaced: with HTTP 404."""
    return Refusal(404, "404.001.03", "Invalid Access Token")


def wrong_method(method: str) -> Refusal:
    """GET has an error of its own on addresses that take POST."""
    if method == "GET":
        return Refusal(404, "404.001.04", "Invalid Authentication Header")
    return Refusal(405, "405.001", "Method Not Allowed")


def unknown_path() -> Refusal:
    """An address Daraja does not have."""
    return Refusal(404, "404.001.01", "Resource not found")


def unknown_merchant() -> Refusal:
    """A well-formed shortcode nobody has."""
    return Refusal(500, "500.001.1001", "Merchant does not exist")


def wrong_credentials() -> Refusal:
    """The password is not base64(shortcode + passkey + timestamp)."""
    return Refusal(500, "500.001.1001", "[MerchantValidate] - Wrong credentials")


def subscriber_locked() -> Refusal:
    """The customer's phone shows a prompt already."""
    text = "Unable to lock subscriber, a transaction is already in process for the current subscriber"
    return Refusal(500, "500.001.1001", text)


def being_processed() -> Refusal:
    """The older way of saying that a prompt has no result yet."""
    return Refusal(500, "500.001.1001", "The transaction is being processed")


def server_error(status: int | None = None) -> Refusal:
    """Something broke on their side."""
    return Refusal(status or 500, "500.001.1001", "Internal Server Error")


def spike_arrest_fault() -> dict[str, object]:
    """The gateway's envelope for "too many requests" (HTTP 429), unlike every other Daraja error."""
    rate = "MessageRate{messagesPerPeriod=5, periodInMicroseconds=60000000, maxBurstMessageCount=1.0}"
    return {
        "fault": {
            "faultstring": f"Spike arrest violation. Allowed rate : {rate}",
            "detail": {"errorcode": "policies.ratelimit.SpikeArrestViolation"},
        }
    }
