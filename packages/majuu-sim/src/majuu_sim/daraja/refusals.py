"""Daraja's synchronous errors, each with the HTTP status and envelope it comes in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


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


@dataclass(frozen=True, slots=True)
class Family:
    """How a group of products words the errors that every product has."""

    bad_token: Callable[[], Refusal]
    failure_code: str
    failure_text: str

    def failed(self, status: int | None = None) -> Refusal:
        """Something broke on their side."""
        return Refusal(status or 500, self.failure_code, self.failure_text)


def _token_of_c2b() -> Refusal:
    return Refusal(400, "400.003.01", "Invalid Access Token")


def _token_of_balance() -> Refusal:
    return Refusal(401, "401.002.01", "Error Occurred - Invalid Access Token - XXX")


def _token_of_pull() -> Refusal:
    return Refusal(401, "401.001", "Invalid Access Token")


EXPRESS = Family(invalid_token, "500.001.1001", "Internal Server Error")
C2B = Family(_token_of_c2b, "500.003.1001", "Internal Server Error")
PAYOUTS = Family(invalid_token, "500.002.1001", "System internal error.")
STATUS = Family(_token_of_c2b, "500.003.1001", "Internal Server Error")
BALANCE = Family(_token_of_balance, "500.003.1001", "Internal Server Error")
REVERSAL = Family(invalid_token, "500.003.1001", "Internal Server Error")
PULL = Family(_token_of_pull, "500", "Internal Server Error")


def already_registered() -> Refusal:
    """Production takes C2B URLs once."""
    return Refusal(500, "500.003.1001", "Urls are already registered.")


def on_old_broker() -> Refusal:
    """The shortcode's URLs live on the platform of old."""
    text = "Duplicate notification info, SP ID is 100100, correlator is 0A1B2C"
    return Refusal(500, "500.003.1001", text)


def register_soap_fault() -> dict[str, object]:
    """A SOAP fault as JSON (HTTP 500): how a registration for an STK-only shortcode has been answered."""
    reason = "Execution of ServiceCallout SCO-AddURLVault failed. Reason: ResponseCode 409 is treated as error"
    fault = {
        "faultcode": "soap:Server",
        "faultstring": reason,
        "faultactor": {},
        "detail": {"source": {"errorcode": "steps.servicecallout.ExecutionFailed"}},
    }
    return {"Envelope": {"encodingStyle": "http://schemas.xmlsoap.org/soap/encoding/", "Body": {"Fault": fault}}}


def duplicate_request() -> Refusal:
    """An OriginatorConversationID that was used before."""
    return Refusal(500, "500.002.1001", "Duplicate OriginatorConversationID.")


def not_authorized() -> Refusal:
    """The app may not use this version of B2C."""
    return Refusal(403, "403.002.1001", "You are not authorized to initiate this transaction")


def bad_pull(text: str) -> Refusal:
    """A pull request that makes no sense."""
    return Refusal(400, "400.001", text)


def spike_arrest_fault() -> dict[str, object]:
    """The gateway's envelope for "too many requests" (HTTP 429), unlike every other Daraja error."""
    rate = "MessageRate{messagesPerPeriod=5, periodInMicroseconds=60000000, maxBurstMessageCount=1.0}"
    return {
        "fault": {
            "faultstring": f"Spike arrest violation. Allowed rate : {rate}",
            "detail": {"errorcode": "policies.ratelimit.SpikeArrestViolation"},
        }
    }
