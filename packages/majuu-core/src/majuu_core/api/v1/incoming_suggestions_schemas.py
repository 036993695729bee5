"""What the operations on suggestions take and give."""

from __future__ import annotations

from typing import Annotated, Literal

from ninja import Schema
from pydantic import Field, StrictStr

from majuu_core.api.schemas import Input


class MessageIn(Input):
    text: Annotated[
        StrictStr, Field(min_length=1, max_length=2000, description="The message as the customer pasted it.")
    ]


class BothLanguages(Schema):
    en: str
    sw: str


class ReasonOut(Schema):
    code: str
    points: int
    messages: BothLanguages


class UnclaimedOut(Schema):
    id: str
    object: Literal["incoming_payment"]
    livemode: bool
    provider: str
    channel: str
    receiver: str
    amount: str
    currency: str
    receipt: str | None = Field(description="Null where the store has to be told it by the customer.")
    receipt_masked: str
    account_reference: str | None
    payer_name_masked: str
    payer_phone_masked: str
    verified: bool = Field(description="The provider confirmed that the money is there.")
    occurred_at: str
    created_at: str


class ScoreOut(Schema):
    score: int = Field(description="0 to 100.")
    certain: bool = Field(description="It would be claimed automatically at the store's auto_claim_score.")
    reasons: list[ReasonOut]


class OrderSuggestionOut(ScoreOut):
    payment_intent: str
    reference: str


class IncomingSuggestionsOut(Schema):
    object: Literal["incoming_suggestions"]
    incoming_payment: UnclaimedOut
    suggestions: list[OrderSuggestionOut]


class MoneySuggestionOut(ScoreOut):
    incoming_payment: UnclaimedOut


class IntentSuggestionsOut(Schema):
    object: Literal["payment_intent_suggestions"]
    payment_intent: str
    suggestions: list[MoneySuggestionOut]


class AccountReferenceOut(Schema):
    object: Literal["account_reference"]
    reference: str
    prefix: str | None
    account_reference: str = Field(description="What to print on the invoice; at most 20 characters.")
    prompt_reference: str | None = Field(description="The same, if it has at most 12 characters, as a prompt needs it.")
    paybill: str | None = Field(description="The number that money of this store last arrived at; null before that.")


class PastedMessageOut(Schema):
    receipt: str
    amount: str | None
    currency: str
    direction: Literal["sent", "received"] | None
    kind: Literal["paybill", "till", "person"] | None
    party: str | None
    account: str | None
    fee: str | None
    occurred_at: str | None
    language: Literal["en", "sw"]
    other_receipts: list[str]


class DifferenceOut(Schema):
    field: str
    message: str
    inbox: str


class MessageVerificationOut(Schema):
    object: Literal["message_verification"]
    verdict: Literal["found", "used", "differs", "not_found", "already_claimed", "taken_back", "refuted", "unreadable"]
    messages: BothLanguages
    message: PastedMessageOut | None
    differences: list[DifferenceOut]
    incoming_payment: UnclaimedOut | None
    charge: str | None
    payment_intent: str | None
