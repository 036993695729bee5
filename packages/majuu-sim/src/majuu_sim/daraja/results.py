"""How a prompt or a request can end: the simulator's names, Daraja's codes, and what they mean.

Source: Daraja's published result codes; 26, 1001 and 9999 are known from users' reports only.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Result:
    """A final result. ``code`` is text; callbacks send it as a number when it is one."""

    name: str
    code: str
    text: str

    @property
    def paid(self) -> bool:
        """True when money moved."""
        return self.code == "0"

    @property
    def callback_code(self) -> int | str:
        """As callbacks carry it."""
        return int(self.code) if self.code.isdecimal() else self.code


_ALL = (
    Result("pay", "0", "The service request is processed successfully."),
    Result("insufficient", "1", "The balance is insufficient for the transaction."),
    Result("below_minimum", "2", "The amount is less than the minimum allowed."),
    Result("above_maximum", "3", "The amount is more than the maximum allowed."),
    Result("daily_limit", "4", "The daily transfer limit would be exceeded."),
    Result("receiver_full", "8", "The receiver's maximum balance would be exceeded."),
    Result("same_amount", "17", "The rule limits this request: same amount, same customer."),
    Result("system_busy", "26", "System busy. Traffic blocking condition in place"),
    Result("subscriber_locked", "1001", "Unable to lock subscriber, a transaction is already in process"),
    Result("expired", "1019", "Transaction has expired"),
    Result("push_error", "1025", "An error occurred while sending a push request."),
    Result("cancel", "1032", "Request cancelled by user"),
    Result("timeout", "1037", "DS timeout user cannot be reached"),
    Result("wrong_pin", "2001", "The initiator information is invalid."),
    Result("not_permitted", "2028", "The request is not permitted according to product assignment."),
    Result("pin_locked", "8006", "The security credential is locked."),
    Result("push_failed", "9999", "Request failed"),
    Result("unknown_operator", "SFC_IC0003", "The operator does not exist."),
)

RESULTS: dict[str, Result] = {result.name: result for result in _ALL}

# Not a result: the prompt waits until somebody answers it by hand, or ends as "timeout".
MANUAL = "manual"

# These end when the prompt does, not when the customer would have typed a PIN.
UNANSWERED = frozenset({"timeout", "expired", MANUAL})

OUTCOMES = frozenset({*RESULTS, MANUAL})


# How B2C, B2B, reversal, status and balance requests can end. Names shared with prompts have the same code.
_API = (
    Result("pay", "0", "The service request is processed successfully."),
    Result("insufficient", "1", "The balance is insufficient for the transaction."),
    Result("below_minimum", "2", "Declined due to limit rule: less than the minimum transaction amount."),
    Result("above_maximum", "3", "Declined due to limit rule: greater than the maximum transaction amount."),
    Result("daily_limit", "4", "Declined due to limit rule: would exceed daily transfer limit."),
    Result("receiver_full", "8", "Declined due to limit rule: would exceed the maximum balance."),
    Result("shortcode_inactive", "11", "The debit party is in an invalid state."),
    Result("duplicate_request", "15", "Duplicate detected."),
    Result("internal_failure", "17", "Internal failure."),
    Result("credential_failed", "18", "The initiator credential check failed."),
    Result("initiator_not_allowed", "21", "The initiator is not allowed to initiate this request"),
    Result("initiator_inactive", "22", "The initiator is not active."),
    Result("invalid_parameter", "25", "The format of parameter null is invalid."),
    Result("system_busy", "26", "System busy. Traffic blocking condition in place"),
    Result("initiator_wrong", "2001", "The initiator information is invalid."),
    Result("account_status", "2006", "The account status does not allow this transaction."),
    Result("not_permitted", "2028", "The request is not permitted according to product assignment."),
    Result("not_registered", "2040", "The receiver is not a registered customer."),
    Result("initiator_locked", "8006", "The security credential is locked"),
    Result("not_on_mpesa", "SFC_IC0003", "The operator does not exist."),
    Result("receiver_invalid", "SFC_IC0003", "Receiver party is invalid"),
    Result("no_api_permission", "TP40153", "The initiator has no permission for this API"),
    Result("already_reversed", "R000001", "The transaction has already been reversed."),
    Result("unknown_transaction", "R000002", "The OriginalTransactionID is invalid."),
)

API_RESULTS: dict[str, Result] = {result.name: result for result in _API}

# What may be said about the receiver of a payout by a habit or a magic number.
RECEIVER_OUTCOMES = frozenset(
    {"pay", "not_registered", "not_on_mpesa", "receiver_full", "daily_limit", "system_busy", "internal_failure"}
)

# How a registration of C2B URLs can be refused, whatever was asked.
REGISTER_OUTCOMES = frozenset({"pay", "already_registered", "old_broker", "soap_fault"})

EVERY_OUTCOME = frozenset({*OUTCOMES, *API_RESULTS, *REGISTER_OUTCOMES})
