"""PayPal's errors: a name, a message, and details with an issue, in the words of its documentation."""

from __future__ import annotations

from typing import Any

NAMES = {
    400: ("INVALID_REQUEST", "Request is not well-formed, syntactically incorrect, or violates schema."),
    401: (
        "AUTHENTICATION_FAILURE",
        "Authentication failed due to missing authorization header, or invalid authentication credentials.",
    ),
    403: ("NOT_AUTHORIZED", "Authorization failed due to insufficient permissions."),
    404: ("RESOURCE_NOT_FOUND", "The specified resource does not exist."),
    405: ("METHOD_NOT_ALLOWED", "The server does not implement the requested HTTP method."),
    409: ("RESOURCE_CONFLICT", "The server has detected a conflict while processing this request."),
    415: ("UNSUPPORTED_MEDIA_TYPE", "The server does not support the request payload's media type."),
    422: (
        "UNPROCESSABLE_ENTITY",
        "The requested action could not be performed, semantically incorrect, or failed business validation.",
    ),
    429: ("RATE_LIMIT_REACHED", "Too many requests. Blocked due to rate limiting."),
    500: ("INTERNAL_SERVER_ERROR", "An internal server error occurred."),
    503: ("SERVICE_UNAVAILABLE", "Service Unavailable."),
}

DESCRIPTIONS = {
    "ACTION_DOES_NOT_MATCH_INTENT": "The order was created with another intent; use the address that fits it.",
    "AUTHORIZATION_ALREADY_CAPTURED": "Authorization has previously been captured.",
    "AUTHORIZATION_AMOUNT_EXCEEDED": "Authorization amount specified exceeded allowable limit.",
    "AUTHORIZATION_DENIED": "A denied authorization cannot be captured.",
    "AUTHORIZATION_EXPIRED": "An expired authorization cannot be captured.",
    "AUTHORIZATION_VOIDED": "A voided authorization cannot be captured or reauthorized.",
    "AUTH_CAPTURE_CURRENCY_MISMATCH": "Currency of capture must be the same as currency of authorization.",
    "CANNOT_BE_ZERO_OR_NEGATIVE": "Must be greater than zero.",
    "CAPTURE_FULLY_REFUNDED": "The capture has already been fully refunded.",
    "CURRENCY_NOT_SUPPORTED": "The currency is not supported.",
    "DECIMALS_NOT_SUPPORTED": "Currency does not support decimals.",
    "DECIMAL_PRECISION": "If the currency supports decimals, only two decimal place precision is supported.",
    "DUPLICATE_INVOICE_ID": (
        "Duplicate Invoice ID detected. To avoid a potential duplicate transaction your account setting requires that "
        "Invoice Id be unique for each transaction."
    ),
    "DUPLICATE_REQUEST_ID": "The value of PayPal-Request-Id header has already been used.",
    "INSTRUMENT_DECLINED": (
        "The instrument presented was either declined by the processor or bank, or it can't be used for this payment."
    ),
    "INSUFFICIENT_FUNDS": "Sender does not have sufficient funds. Please add funds and retry.",
    "INVALID_CURRENCY_CODE": "Currency code is invalid or is not currently supported.",
    "INVALID_PARAMETER_SYNTAX": "The value of a field does not conform to the expected format.",
    "INVALID_PARAMETER_VALUE": "The value of a field is invalid.",
    "INVALID_RESOURCE_ID": "Specified resource ID does not exist. Please check the resource ID and try again.",
    "INVALID_STRING_MAX_LENGTH": "The value of a field is too long.",
    "MALFORMED_REQUEST_JSON": "The request JSON is not well formed.",
    "MAX_CAPTURE_AMOUNT_EXCEEDED": "Capture amount exceeds allowable limit.",
    "MAX_VALUE_EXCEEDED": "Should be less than or equal to 999999999999999.99.",
    "MISSING_REQUIRED_PARAMETER": "A required field or parameter is missing.",
    "ORDER_ALREADY_AUTHORIZED": (
        "Order already authorized. If 'intent=AUTHORIZE' only one authorization per order is allowed."
    ),
    "ORDER_ALREADY_CAPTURED": "Order already captured. If 'intent=CAPTURE' only one capture per order is allowed.",
    "ORDER_COMPLETED_OR_VOIDED": "Order is voided or completed and hence cannot be authorized.",
    "ORDER_NOT_APPROVED": (
        "Payer has not yet approved the Order for payment. Please redirect the payer to the 'rel':'approve' url "
        "returned as part of the HATEOAS links within the Create Order call."
    ),
    "PARTIAL_REFUND_NOT_ALLOWED": "You cannot do a refund less than the original capture amount.",
    "PAYER_ACTION_REQUIRED": "Transaction cannot complete successfully, instruct the buyer to return to PayPal.",
    "PAYPAL_REQUEST_ID_REQUIRED": (
        "A PayPal-Request-Id is required if you are trying to process payment for an Order. Please specify a "
        "PayPal-Request-Id or Create the Order without a 'payment_source' specified."
    ),
    "PENDING_CAPTURE": "Cannot initiate a refund as the capture is pending.",
    "PERMISSION_DENIED": "You do not have permission to access or perform operations on this resource.",
    "PREVIOUSLY_CAPTURED": "Authorization has been previously captured and hence cannot be voided.",
    "PREVIOUSLY_VOIDED": "Authorization has been previously voided and hence cannot be voided again.",
    "REAUTHORIZATION_NOT_SUPPORTED": "A reauthorize cannot be attempted on this authorization.",
    "REAUTHORIZATION_TOO_SOON": "A reauthorization is only allowed after the honor period of the authorization.",
    "REFUND_AMOUNT_EXCEEDED": (
        "The refund amount must be less than or equal to the capture amount that has not yet been refunded."
    ),
    "REFUND_CAPTURE_CURRENCY_MISMATCH": "Refund must be in the same currency as the capture.",
    "REFUND_NOT_ALLOWED": "Capture cannot be refunded.",
    "REFUND_NOT_PERMITTED_DUE_TO_CHARGEBACK": (
        "Refunds are not allowed on this capture due to a chargeback on the card or bank."
    ),
    "REFUND_TIME_LIMIT_EXCEEDED": "You are over the time limit to perform a refund on this capture.",
    "TRANSACTION_DISPUTED": (
        "Partial refunds cannot be offered at this time because there is an open case on this transaction."
    ),
    "TRANSACTION_REFUSED": "PayPal's internal controls prevent authorization from being captured.",
    "UNSUPPORTED_INTENT": "`intent=AUTHORIZE` is not supported for multiple purchase units.",
}


class Refusal(Exception):
    """A request PayPal does not take."""

    def __init__(
        self,
        status: int,
        *,
        name: str = "",
        message: str = "",
        details: list[dict[str, str]] | None = None,
        links: list[dict[str, str]] | None = None,
    ) -> None:
        """HTTP ``status``; ``name`` and ``message`` default to the usual ones of that status."""
        usual_name, usual_message = NAMES.get(status, NAMES[500])
        self.name = name or usual_name
        self.message = message or usual_message
        super().__init__(self.message)
        self.status = status
        self.details = details or []
        self.links = links or []

    def to_body(self, debug_id: str) -> dict[str, Any]:
        """The JSON of the answer."""
        body: dict[str, Any] = {"name": self.name, "message": self.message, "debug_id": debug_id}
        if self.details:
            body["details"] = self.details
        help_link = {
            "href": f"https://developer.paypal.com/api/rest/reference/orders/v2/errors/#{self.name}",
            "rel": "information_link",
            "method": "GET",
        }
        body["links"] = [*self.links, help_link]
        return body


def detail(issue: str, field: str = "", value: str | None = None, location: str = "body") -> dict[str, str]:
    """One entry of ``details``."""
    made: dict[str, str] = {}
    if field:
        made["field"] = field
        made["location"] = location
        if value is not None:
            made["value"] = value
    return {**made, "issue": issue, "description": DESCRIPTIONS.get(issue, issue.replace("_", " ").capitalize() + ".")}


def bad_field(issue: str, field: str, value: str | None = None, location: str = "body") -> Refusal:
    """400: a field that is missing or has a wrong shape."""
    return Refusal(400, details=[detail(issue, field, value, location)])


def unprocessable(
    issue: str, field: str = "", value: str | None = None, *, links: list[dict[str, str]] | None = None
) -> Refusal:
    """422: well-formed, and not possible."""
    return Refusal(422, details=[detail(issue, field, value)], links=links)


def not_found(field: str = "", value: str | None = None) -> Refusal:
    """404: nobody has that id."""
    return Refusal(404, details=[detail("INVALID_RESOURCE_ID", field, value, "path")])


def not_permitted() -> Refusal:
    """403: somebody else's."""
    return Refusal(403, details=[detail("PERMISSION_DENIED")])


def no_token() -> Refusal:
    """401: no bearer token."""
    return Refusal(401, details=[detail("MISSING_ACCESS_TOKEN")])


INVALID_TOKEN = {"error": "invalid_token", "error_description": "Token signature verification failed"}
INVALID_CLIENT = {"error": "invalid_client", "error_description": "Client Authentication failed"}
UNSUPPORTED_GRANT = {"error": "unsupported_grant_type", "error_description": "Grant Type is NULL"}
