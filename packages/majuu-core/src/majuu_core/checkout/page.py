"""Everything a template needs for one page, as plain values in the customer's language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from moneyed import Money

from majuu_core.checkout.forms import PaymentForm
from majuu_core.checkout.reasons import explain_charge
from majuu_core.checkout.state import PageState, Stage, is_web_address, redirect_url, version_of
from majuu_core.checkout.texts import TEXTS, Language, Texts
from majuu_core.checkout.wording import amount_text, clock_text, masked, time_text
from majuu_core.payments.models import Charge, PaymentIntent
from majuu_core.payments.representation import remaining_amount
from majuu_core.providers import Explanation
from majuu_core.providers.installed import installed_providers


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """One payment that arrived."""

    number: str
    amount: str
    method: str
    time: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A stage in words: a heading, sentences, and what they are about."""

    title: str
    lines: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What the templates show. ``seconds_left`` is None when nothing runs out."""

    language: Language
    texts: Texts
    title: str
    store: str
    initial: str
    stage: str
    amount: str
    amount_label: str
    total: str
    description: str
    reference: str
    livemode: bool
    is_live: bool
    version: str
    message: Message | None
    failure: Explanation | None
    failure_title: str
    partial: str
    receipts: tuple[Receipt, ...]
    surplus: str
    redirect_url: str
    redirect_label: str
    instructions: tuple[str, str]
    seconds_left: int | None
    seconds_in_all: int
    time_left: str
    return_url: str
    return_label: str
    form: PaymentForm | None


def build_page(
    *,
    intent: PaymentIntent,
    charges: Sequence[Charge],
    state: PageState,
    language: Language,
    now: datetime,
    form: PaymentForm | None = None,
) -> Page:
    """The page of one intent at one stage. ``form`` is shown at the stage PAY."""
    texts, store = TEXTS[language], intent.store.name
    received = intent.amount_received
    is_partial = bool(received.amount) and state.stage is not Stage.PAID
    method = _method_label(state.charge)
    seconds = max(int((state.deadline - now).total_seconds()), 0) if state.deadline else None
    return Page(
        language=language,
        texts=texts,
        title=texts.title.format(store=store),
        store=store,
        initial=store.strip()[:1].upper(),
        stage=state.stage.value,
        amount=amount_text(remaining_amount(intent) if is_partial else intent.amount),
        amount_label=_amount_label(texts, state.stage, is_partial),
        total=texts.of_total.format(amount=amount_text(intent.amount)) if is_partial else "",
        description=intent.description,
        reference=intent.reference,
        livemode=intent.livemode,
        is_live=state.is_live,
        version=version_of(state, intent, charges),
        message=_message(texts, intent, state, method, form),
        failure=explain_charge(state.failed, language) if state.failed else None,
        failure_title=texts.failed_part_title if received.amount else texts.failed_title,
        partial=_partial(texts, intent) if is_partial else "",
        receipts=_receipts(texts, charges),
        surplus=_surplus(texts, intent.surplus, store),
        redirect_url=redirect_url(state.charge),
        redirect_label=texts.redirect_button.format(method=method),
        instructions=_instructions(state.charge),
        seconds_left=seconds,
        seconds_in_all=_seconds_in_all(state),
        time_left=clock_text(seconds or 0),
        return_url=intent.return_url if is_web_address(intent.return_url) else "",
        return_label=texts.back_to_store.format(store=store),
        form=form,
    )


def _seconds_in_all(state: PageState) -> int:
    if state.deadline is None or state.charge is None:
        return 0
    return max(int((state.deadline - state.charge.created_at).total_seconds()), 1)


def _amount_label(texts: Texts, stage: Stage, is_partial: bool) -> str:
    if stage is Stage.PAID:
        return texts.amount
    return texts.amount_remaining if is_partial else texts.amount_to_pay


def _message(
    texts: Texts, intent: PaymentIntent, state: PageState, method: str, form: PaymentForm | None
) -> Message | None:
    store = intent.store.name
    if state.stage is Stage.PAY:
        if form is not None and form.methods:
            return None
        return Message(title=texts.unavailable_title, lines=(texts.unavailable_text.format(store=store),))
    if state.stage is Stage.PROMPT and state.charge is not None:
        return _prompt(texts, state.charge, method)
    title, *lines = _SENTENCES[state.stage]
    if state.charge is not None and state.stage in (Stage.CANCELED, Stage.EXPIRED):
        lines = ["canceled_open"]
    values = {"store": store, "method": method}
    return Message(
        title=getattr(texts, title).format(**values),
        lines=tuple(getattr(texts, line).format(**values) for line in lines),
    )


_SENTENCES: dict[Stage, tuple[str, ...]] = {
    Stage.REDIRECT: ("redirect_title", "redirect_text"),
    Stage.INSTRUCTIONS: ("instructions_title",),
    Stage.PROCESSING: ("processing_title", "processing_text", "do_not_pay_again"),
    Stage.CHECKING: ("checking_title", "checking_text", "do_not_pay_again"),
    Stage.AUTHORIZED: ("authorized_title", "authorized_text"),
    Stage.PAID: ("paid_title", "paid_text"),
    Stage.REVIEW: ("review_title", "review_text"),
    Stage.CANCELED: ("canceled_title", "canceled_text"),
    Stage.EXPIRED: ("expired_title", "expired_text"),
}


def _prompt(texts: Texts, charge: Charge, method: str) -> Message:
    amount = amount_text(charge.amount)
    phone = masked(str((charge.next_action or {}).get("data", {}).get("phone", "")))
    sentence = texts.prompt_text if phone else texts.prompt_text_no_phone
    steps = (texts.prompt_step_1, texts.prompt_step_2, texts.prompt_step_3)
    return Message(
        title=texts.prompt_title,
        lines=(sentence.format(amount=amount, phone=phone),),
        steps=tuple(step.format(method=method, amount=amount) for step in steps),
    )


def _receipts(texts: Texts, charges: Sequence[Charge]) -> tuple[Receipt, ...]:
    return tuple(
        Receipt(
            number=charge.receipt or "",
            amount=amount_text(charge.amount_received),
            method=_method_label(charge),
            time=time_text(charge.occurred_at or charge.updated_at, texts),
        )
        for charge in charges
        if charge.status == Charge.Status.SUCCEEDED and not charge.is_parked
    )


def _partial(texts: Texts, intent: PaymentIntent) -> str:
    return texts.partial_text.format(
        paid=amount_text(intent.amount_received),
        amount=amount_text(intent.amount),
        remaining=amount_text(remaining_amount(intent)),
    )


def _surplus(texts: Texts, surplus: Money, store: str) -> str:
    return texts.paid_surplus.format(amount=amount_text(surplus), store=store) if surplus.amount else ""


def _instructions(charge: Charge | None) -> tuple[str, str]:
    action = (charge.next_action or {}) if charge else {}
    data = action.get("data", {}) if action.get("type") == "display_instructions" else {}
    return str(data.get("text", "")), str(data.get("reference", ""))


def _method_label(charge: Charge | None) -> str:
    """What people call the method; the bare code when its provider is not installed any more."""
    if charge is None:
        return ""
    for provider in installed_providers():
        if provider.code == charge.provider and (found := provider.info.method(charge.payment_method)):
            return found.label
    return charge.payment_method
