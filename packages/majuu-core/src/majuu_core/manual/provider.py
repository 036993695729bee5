"""The provider "manual": the customer is told where to pay, and people or statements tell that the money came.

There is nobody to ask. So nothing here ever says that a payment succeeded or failed: the answer to every question is
that it waits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import BinaryIO, ClassVar, cast

from majuu_core.common.money import CURRENCY_CODES, AmountError, Money, to_minor_units
from majuu_core.manual.credentials import ManualCredentials
from majuu_core.manual.identities import posting_identity
from majuu_core.manual.instructions import instructions
from majuu_core.manual.references import find_references, make_reference
from majuu_core.manual.statements import read_bank_statement
from majuu_core.providers import (
    FetchRequest,
    FollowUpRequest,
    InvalidPaymentData,
    MethodField,
    PaymentMethodInfo,
    PaymentProvider,
    PaymentRequest,
    ProviderInfo,
    RefundQuestion,
    RefundRoute,
    Result,
    ResultStatus,
    StatementLine,
    StatementProblem,
    Violation,
)

BANK_TRANSFER, CASH = "bank_transfer", "cash"
_S = ResultStatus
# What a refund that somebody pays out by hand has to know.
_DESTINATION = {"account_name": "Account name", "account_number": "Account number", "bank_name": "Bank"}


class ManualProvider(PaymentProvider):
    """Bank transfers and cash."""

    code = "manual"
    info = ProviderInfo(
        display_name="Bank transfer and cash",
        payment_methods=(
            PaymentMethodInfo(code=BANK_TRANSFER, label="Bank transfer"),
            PaymentMethodInfo(code=CASH, label="Cash"),
        ),
        currencies=frozenset(CURRENCY_CODES),
        countries=frozenset(),
        replay_safe=True,
        partial_refunds=True,
        told_by_people=True,
        payout_fields=tuple(MethodField(name=name, kind="text", label=label) for name, label in _DESTINATION.items()),
    )
    credentials_schema: ClassVar[type[ManualCredentials]] = ManualCredentials

    @property
    def _account(self) -> ManualCredentials:
        return cast("ManualCredentials", self.context.credentials)

    def check_credentials(self) -> None:
        """There is nobody who could refuse them; the schema has checked what can be checked."""

    def offers(self, method: str, currency: str) -> bool:
        """Whether this account takes it: the currencies it holds, and what its owner has said how to pay."""
        open_here = {BANK_TRANSFER: self._account.takes_transfers, CASH: bool(self._account.cash)}
        return open_here.get(method, False) and currency in self._account.currencies

    def prepare_payment(self, request: PaymentRequest) -> PaymentRequest:
        """The request as it is. Raises InvalidPaymentData for an amount, currency or way that cannot be paid here."""
        code = request.amount.currency.code
        _check_amount(request.amount)
        if code not in self._account.currencies:
            text = f"This account does not take {code}. It takes {', '.join(self._account.currencies)}."
            raise InvalidPaymentData(Violation(code="currency_unsupported", message=text, field="amount"))
        if not self.offers(request.payment_method, code):
            text = f"This account does not take {request.payment_method[:32]}."
            raise InvalidPaymentData(Violation(code="payment_method_not_offered", message=text, field="payment_method"))
        return request

    def sale(self, request: PaymentRequest) -> Result:
        """Where to pay, with a reference to write. The same request has the same reference."""
        self.prepare_payment(request)
        reference = make_reference(request.reference)
        return Result(
            status=_S.REQUIRES_ACTION,
            provider_reference=reference,
            next_action=instructions(self._account, request, reference),
        )

    def fetch_payment(self, request: FetchRequest) -> Result:
        """It waits, if it is one of ours; nothing else can be known here."""
        if request.provider_reference != make_reference(request.reference):
            return Result(status=_S.UNKNOWN)
        return Result(status=_S.PENDING, provider_reference=request.provider_reference)

    def refund(self, request: FollowUpRequest) -> Result:
        """Put on the list of what a person pays out. Nothing is sent from here."""
        return Result(status=_S.PENDING, provider_reference=make_reference(request.reference))

    def fetch_refund(self, request: FetchRequest) -> Result:
        """It waits for a person."""
        return self.fetch_payment(request)

    def refund_routes(self, question: RefundQuestion) -> Sequence[RefundRoute]:
        """Paid out by hand, to a bank account or in cash."""
        return (
            RefundRoute(
                method=BANK_TRANSFER,
                possible=True,
                reason="Somebody pays it to the customer's bank account, from the list of refunds to pay by hand.",
                needs=tuple(_DESTINATION),
            ),
            RefundRoute(
                method=CASH,
                possible=bool(self._account.cash),
                reason=(
                    "Somebody hands it out, from the list of refunds to pay by hand."
                    if self._account.cash
                    else "This account takes no cash, so there is none to hand out."
                ),
                needs=("account_name",),
            ),
        )

    def payment_references(self, text: str) -> Sequence[str]:
        """The references that a payer's text may hold."""
        return find_references(text)

    def takes_other_amounts(self) -> bool:
        """Whether another amount than was asked for is taken without a person's word."""
        return self._account.amount_may_differ

    def posting_receipt(self, bank_reference: str, day: date) -> str:
        """What a statement's line with this number of the bank's is called."""
        return posting_identity(self.context.account_id, bank_reference, day)

    def read_statement(self, file: BinaryIO, *, name: str) -> Iterator[StatementLine | StatementProblem]:
        """A bank statement: CSV or XLSX by the saved mapping, or CAMT.053."""
        return read_bank_statement(file, account=self._account, account_id=self.context.account_id)

    def statement_time_zone(self) -> str:
        """Whose days the bank counts."""
        return self._account.time_zone


def _check_amount(amount: Money) -> None:
    """Raise InvalidPaymentData for what nobody can pay: nothing, less, or fractions that the currency does not have."""
    if amount.amount <= 0:
        raise InvalidPaymentData(
            Violation(code="amount_not_positive", message="The amount must be above zero.", field="amount")
        )
    try:
        to_minor_units(amount)
    except AmountError as problem:
        raise InvalidPaymentData(Violation(code=problem.code, message=str(problem), field="amount")) from None
