"""Payments that a customer's bank or the provider takes back."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import cast

from majuu_core.providers import (
    DisputeState,
    DisputeStatus,
    FetchRequest,
    FollowUpRequest,
    InvalidPaymentData,
    ProviderError,
    RequestRejected,
    ResultStatus,
    SupportsDisputes,
    SupportsWebhooks,
)
from majuu_core.testing.harness import Disputed, DisputeOutcome, ProviderHarness, new_reference
from majuu_core.testing.kit import check
from majuu_core.testing.steps import expect

_NEEDS = ("payment", "fetch_dispute", "list_disputes", "submit_evidence", "accept_dispute")
_WEBHOOK = (*_NEEDS, "verify_webhook", "parse_webhook")
_S = DisputeStatus
_DECIDED = frozenset({_S.WON, _S.LOST, _S.ACCEPTED, _S.EXPIRED})


def _provider(harness: ProviderHarness) -> SupportsDisputes:
    return cast(SupportsDisputes, harness.make_provider())


def _fetch(harness: ProviderHarness, disputed: Disputed) -> DisputeState:
    request = FetchRequest(reference="", provider_reference=disputed.provider_reference)
    return _provider(harness).fetch_dispute(request)


def _answer(harness: ProviderHarness, disputed: Disputed) -> DisputeState:
    """Evidence submitted, and the decision awaited."""
    state = _provider(harness).submit_evidence(harness.evidence(disputed))
    if state.status in _DECIDED:
        return state
    harness.settle()
    return _fetch(harness, disputed)


def _acceptance(disputed: Disputed) -> FollowUpRequest:
    reference = new_reference("dp")
    return FollowUpRequest(
        idempotency_key=f"key-{reference}", reference=reference, provider_reference=disputed.provider_reference
    )


def _same(state: DisputeState) -> DisputeState:
    """Without what is for people only."""
    return replace(state, raw={})


@check(
    "disputes",
    why="The console asks for evidence by these fields; one that cannot be sent wastes the time that is left.",
    fix="Give every field a name of its own, a kind (text or file), a label, and a size; files their content types.",
    needs=_NEEDS,
)
def fields_are_usable(harness: ProviderHarness) -> None:
    fields = harness.provider_class.info.evidence_fields
    names = [item.name for item in fields]
    expect(names and len(names) == len(set(names)), f"evidence_fields are named {names}")
    for item in fields:
        expect(item.kind in ("text", "file") and item.label.strip(), f"{item.name} has no kind or no label")
        sized = item.max_length > 0 if item.kind == "text" else item.content_types and item.max_bytes > 0
        expect(sized, f"{item.name} says not how much it takes")


@check(
    "disputes",
    needs=_NEEDS,
    why="A dispute whose payment is not found is nobody's: its deadline passes unseen.",
    fix="Set payment_reference to the payment's provider_reference or receipt, or charge_reference to our own id.",
)
def names_its_payment(harness: ProviderHarness) -> None:
    disputed = harness.dispute()
    state = _fetch(harness, disputed)
    known = {disputed.result.provider_reference, disputed.result.receipt} - {None, ""}
    ours = state.charge_reference == disputed.request.reference
    expect(ours or state.payment_reference in known, f"it names {state.payment_reference!r}, not one of {known}")
    expect(state.provider_reference == disputed.provider_reference, "it names itself by another reference")


@check(
    "disputes",
    needs=_NEEDS,
    why="This much is taken from the store in the books, and cannot be refunded.",
    fix="Report the disputed amount in the payment's currency and unit, not what it is worth elsewhere.",
)
def amount_is_of_the_payment(harness: ProviderHarness) -> None:
    disputed = harness.dispute()
    state, paid = _fetch(harness, disputed), disputed.request.amount
    expect(state.amount.currency == paid.currency, f"{paid} was paid, {state.amount} is disputed")
    expect(0 < state.amount.amount <= paid.amount, f"{paid} was paid, {state.amount} is disputed")


@check(
    "disputes",
    needs=_NEEDS,
    why="Asking decides whether lost evidence is sent again; an answer that changes by itself decides nothing.",
    fix="Let fetch_dispute only read, and report the provider's own times.",
)
def asking_changes_nothing(harness: ProviderHarness) -> None:
    disputed = harness.dispute()
    first, second = _fetch(harness, disputed), _fetch(harness, disputed)
    expect(first.status is _S.NEEDS_RESPONSE, f"a new dispute is {first.status}")
    expect(_same(first) == _same(second), f"first {first.status}, then {second.status}, or with other details")


@check(
    "disputes",
    needs=_NEEDS,
    why="An invented dispute takes money from a store.",
    fix="Raise RequestRejected when there is no such dispute.",
)
def unknown_one_is_refused(harness: ProviderHarness) -> None:
    request = FetchRequest(reference="", provider_reference="dp_nothing_like_it_1")
    try:
        state = _provider(harness).fetch_dispute(request)
    except RequestRejected:
        return
    except ProviderError as problem:
        expect(False, f"an unknown dispute ended as {type(problem).__name__}, not RequestRejected")
        raise
    expect(False, f"an unknown dispute is {state.status}")


@check(
    "disputes",
    needs=_NEEDS,
    why="The list finds what webhooks lost, before the deadline passes.",
    fix="List every dispute opened since then, as fetch_dispute would report it; follow the provider's pages.",
)
def open_one_is_listed(harness: ProviderHarness) -> None:
    disputed = harness.dispute()
    state = _fetch(harness, disputed)
    listed = list(_provider(harness).list_disputes(since=state.opened_at - timedelta(days=1)))
    found = [item for item in listed if item.provider_reference == disputed.provider_reference]
    expect(len(found) == 1, f"it is listed {len(found)} times")
    expect((found[0].status, found[0].amount) == (state.status, state.amount), "the list says something else of it")


@check(
    "disputes",
    needs=_NEEDS,
    why="Times order what is told, and the deadline is shown to people: a time without a zone is hours off.",
    fix="Make opened_at, respond_by and occurred_at timezone-aware; the deadline lies after the opening.",
)
def times_have_zones(harness: ProviderHarness) -> None:
    state = _fetch(harness, harness.dispute())
    moments: list[datetime | None] = [state.opened_at, state.respond_by, state.occurred_at]
    naive = [moment for moment in moments if moment is not None and moment.tzinfo is None]
    expect(not naive, f"{naive} have no time zone")
    expect(state.respond_by is None or state.respond_by > state.opened_at, "the deadline lies before the opening")


@check(
    "disputes",
    needs=_NEEDS,
    why="Evidence that only seems to be submitted loses the dispute.",
    fix="Pass evidence on when submit is set, and report the state that the dispute is in afterwards.",
)
def evidence_is_submitted(harness: ProviderHarness) -> None:
    disputed = harness.dispute()
    state = _provider(harness).submit_evidence(harness.evidence(disputed))
    expect(state.status is not _S.NEEDS_RESPONSE, "after submitting, the dispute still needs a response")
    asked = _fetch(harness, disputed)
    expect(asked.status is not _S.NEEDS_RESPONSE, "when asked, the dispute still needs a response")


@check(
    "disputes",
    needs=_NEEDS,
    why="After a lost answer core sends the same evidence again under the same key.",
    fix="Pass the idempotency key on, or look first; report the present state for a repetition.",
)
def same_evidence_is_submitted_once(harness: ProviderHarness) -> None:
    disputed = harness.dispute()
    request = harness.evidence(disputed)
    first = _provider(harness).submit_evidence(request)
    try:
        second = _provider(harness).submit_evidence(request)
    except ProviderError as problem:
        expect(False, f"the same evidence again ended as {type(problem).__name__}")
        raise
    expect(first.status is second.status, f"first {first.status}, then {second.status}")


@check(
    "disputes",
    needs=_NEEDS,
    why="The merchant has to know which field to mend, while there is time.",
    fix="Raise InvalidPaymentData with a violation that names the field that the provider does not take.",
)
def unfit_evidence_is_explained(harness: ProviderHarness) -> None:
    disputed = harness.dispute()
    request = replace(harness.evidence(disputed), texts={"no_such_field": "It was delivered."}, files=())
    try:
        _provider(harness).submit_evidence(request)
    except InvalidPaymentData as problem:
        named = [violation.field for violation in problem.violations]
        expect("no_such_field" in named, f"the violations name {named}")
    except ProviderError as problem:
        expect(False, f"unfit evidence ended as {type(problem).__name__}, not InvalidPaymentData")
    else:
        expect(False, "a field that evidence_fields does not hold was taken")


@check(
    "disputes",
    needs=_NEEDS,
    why="The money comes back to the store in the books when the provider says that it is not withdrawn any more.",
    fix="Report WON, and withdrawn as zero once the money is back (None when the provider does not say it).",
)
def won_gives_the_money_back(harness: ProviderHarness) -> None:
    state = _answer(harness, harness.dispute(DisputeOutcome.WON))
    expect(state.status is _S.WON, f"a dispute that was won is {state.status}")
    expect(state.withdrawn is None or not state.withdrawn.amount, f"won, and {state.withdrawn} is still withdrawn")


@check(
    "disputes",
    needs=_NEEDS,
    why="A loss that withdraws nothing leaves money in the books that the provider does not have any more.",
    fix="Report LOST, and withdrawn as what was taken (None when the provider does not say it).",
)
def lost_keeps_the_money_away(harness: ProviderHarness) -> None:
    state = _answer(harness, harness.dispute(DisputeOutcome.LOST))
    expect(state.status is _S.LOST, f"a dispute that was lost is {state.status}")
    expect(state.withdrawn is None or state.withdrawn.amount > 0, "lost, and nothing is withdrawn")


@check(
    "disputes",
    needs=_NEEDS,
    why="An inquiry takes no money; booking it as taken makes the store poorer than it is.",
    fix="Report withdrawn as zero while it is only an inquiry.",
)
def inquiry_withdraws_nothing(harness: ProviderHarness) -> None:
    state = _fetch(harness, harness.dispute(DisputeOutcome.INQUIRY))
    seen = f"an inquiry withdraws {state.withdrawn if state.withdrawn is not None else 'what is not said'}"
    expect(state.withdrawn is not None and not state.withdrawn.amount, seen)


@check(
    "disputes",
    needs=_NEEDS,
    why="Giving in is final; a second click or a lost answer must not look like a failure.",
    fix="Report ACCEPTED (or LOST) when the dispute is given up, and again for one that is.",
)
def accepting_is_final(harness: ProviderHarness) -> None:
    disputed = harness.dispute()
    state = _provider(harness).accept_dispute(_acceptance(disputed))
    expect(state.status in (_S.ACCEPTED, _S.LOST), f"an accepted dispute is {state.status}")
    try:
        again = _provider(harness).accept_dispute(_acceptance(disputed))
    except ProviderError as problem:
        expect(False, f"accepting again ended as {type(problem).__name__}")
        raise
    expect(again.status is state.status, f"first {state.status}, then {again.status}")


@check(
    "disputes",
    needs=_WEBHOOK,
    why="Core applies what the message says; without the dispute's state it can only be parked.",
    fix='Parse it to a "dispute.updated" event whose dispute is what fetch_dispute says, and whose result is UNKNOWN.',
)
def webhook_carries_the_state(harness: ProviderHarness) -> None:
    disputed = harness.dispute()
    provider = cast(SupportsWebhooks, harness.make_provider())
    events = provider.parse_webhook(harness.dispute_webhook(disputed))
    told = [event for event in events if event.type == "dispute.updated"]
    expect(len(told) == 1 and told[0].dispute is not None, f"the message holds {[event.type for event in events]}")
    event, state = told[0], _fetch(harness, disputed)
    expect(event.result.status is ResultStatus.UNKNOWN, f"its result is {event.result.status}")
    said = cast(DisputeState, event.dispute)
    same = said.provider_reference == disputed.provider_reference
    expect(same, f"the message is about {said.provider_reference!r}")
    expect((said.status, said.amount) == (state.status, state.amount), f"told {said.status}, asked {state.status}")
