"""Everything a template needs for one page, as plain values in the customer's language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from moneyed import Money

from majuu_core.checkout.forms import PaymentForm
from majuu_core.checkout.instructions import Instructions, read_instructions
from majuu_core.checkout.reasons import explain_charge
from majuu_core.checkout.state import PageState, Stage, is_web_address, redirect_url, version_of
from majuu_core.checkout.texts import TEXTS, Language, Texts
from majuu_core.checkout.wording import CARD, amount_text, clock_text, masked, method_label, rate_text, time_text
from majuu_core.payments.models import Charge, PaymentIntent
from majuu_core.payments.representation import remaining_amount
from majuu_core.providers import Explanation, ProviderInfo
from majuu_core.providers.installed import installed_providers


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """One payment that arrived."""

    number: str
    amount: str
    method: str
    time: str
    covers: str = ""  # what it pays of the bill, where that is in another currency
    rate: str = ""


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
    instructions: Instructions | None
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
    has_returned: bool = False,
) -> Page:
    """The page of one intent at one stage. ``form`` is shown at the stage PAY. ``has_returned``: the customer comes
    from the provider's page."""
    texts, store = TEXTS[language], intent.store.name
    received = intent.amount_received
    is_partial = bool(received.amount) and state.stage is not Stage.PAID
    method = _place_label(state.charge)
    seconds = max(int((state.deadline - now).total_seconds()), 0) if state.deadline else None
    return Page(
        language=language,
        texts=texts,
        title=texts.title.format(store=store),
        store=store,
        initial=store.strip()[:1].upper(),
        stage=state.stage.value,
        amount=amount_text(_amount(intent, state.stage, is_partial)),
        amount_label=_amount_label(texts, state.stage, is_partial),
        total=texts.of_total.format(amount=amount_text(intent.amount)) if is_partial else "",
        description=intent.description,
        reference=intent.reference,
        livemode=intent.livemode,
        is_live=state.is_live,
        version=version_of(state, intent, charges),
        message=_message(texts, intent, state, method, form, has_returned),
        failure=explain_charge(state.failed, language) if state.failed else None,
        failure_title=texts.failed_part_title if received.amount else texts.failed_title,
        partial=_partial(texts, intent) if is_partial else "",
        receipts=_receipts(texts, charges, language),
        surplus=_surplus(texts, intent.surplus, store),
        redirect_url=redirect_url(state.charge),
        redirect_label=texts.redirect_button.format(method=method),
        instructions=read_instructions(state.charge, texts, amount_text(remaining_amount(intent))),
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


def _amount(intent: PaymentIntent, stage: Stage, is_partial: bool) -> Money:
    if stage is Stage.PAID:  # less than was owed, where only a part was captured
        received: Money = intent.amount_received
        return received if received.amount else Money(intent.amount.amount, received.currency)
    owed: Money = intent.amount
    return remaining_amount(intent) if is_partial else owed


def _amount_label(texts: Texts, stage: Stage, is_partial: bool) -> str:
    if stage in (Stage.PAID, Stage.AUTHORIZED):
        return texts.amount
    return texts.amount_remaining if is_partial else texts.amount_to_pay


def _message(
    texts: Texts,
    intent: PaymentIntent,
    state: PageState,
    method: str,
    form: PaymentForm | None,
    has_returned: bool,
) -> Message | None:
    store = intent.store.name
    if state.stage is Stage.PAY:
        if form is not None and form.methods:
            return None
        return Message(title=texts.unavailable_title, lines=(texts.unavailable_text.format(store=store),))
    if state.stage is Stage.PROMPT and state.charge is not None:
        return _prompt(texts, state.charge, method)
    if state.stage is Stage.INSTRUCTIONS and state.charge is not None:
        return _how_to_pay(texts, intent, state.charge)
    title, *lines = _RETURNED if has_returned and state.stage is Stage.REDIRECT else _SENTENCES[state.stage]
    if state.charge is not None and state.stage in (Stage.CANCELED, Stage.EXPIRED):
        lines = ["canceled_open"]
    values = {"store": store, "method": method}
    said = [getattr(texts, line).format(**values) for line in lines]
    if state.stage is Stage.REDIRECT and state.charge is not None and state.charge.fx_rate is not None:
        said.append(texts.you_pay.format(charged=amount_text(state.charge.amount), rate=_rate(state.charge)))
    return Message(title=getattr(texts, title).format(**values), lines=tuple(said))


_SENTENCES: dict[Stage, tuple[str, ...]] = {
    Stage.REDIRECT: ("redirect_title", "redirect_text"),
    Stage.PROCESSING: ("processing_title", "processing_text", "do_not_pay_again"),
    Stage.CHECKING: ("checking_title", "checking_text", "do_not_pay_again"),
    Stage.AUTHORIZED: ("authorized_title", "authorized_text"),
    Stage.PAID: ("paid_title", "paid_text"),
    Stage.REVIEW: ("review_title", "review_text"),
    Stage.CANCELED: ("canceled_title", "canceled_text"),
    Stage.EXPIRED: ("expired_title", "expired_text"),
}


_RETURNED = ("returned_title", "returned_text")


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


def _how_to_pay(texts: Texts, intent: PaymentIntent, charge: Charge) -> Message:
    """What to do, step by step, where money is paid by hand; a provider's own instructions stand for themselves."""
    amount = amount_text(remaining_amount(intent))
    told = read_instructions(charge, texts, amount)
    kind = told.kind if told else ""
    titles = {"bank_transfer": texts.transfer_title, "cash": texts.cash_title}
    steps = {
        "bank_transfer": (texts.transfer_step_1, texts.transfer_step_2, texts.transfer_step_3),
        "cash": (texts.cash_step_1, texts.cash_step_2),
    }
    reference = (
        next((line.value for line in told.lines if line.label == texts.instructions_reference), "") if told else ""
    )
    values = {"amount": amount, "reference": reference.replace("-", "\u2011"), "store": intent.store.name}
    return Message(
        title=titles.get(kind, texts.instructions_title),
        steps=tuple(step.format(**values) for step in steps.get(kind, ())),
    )


def _receipts(texts: Texts, charges: Sequence[Charge], language: Language) -> tuple[Receipt, ...]:
    return tuple(
        Receipt(
            number=charge.receipt or "",
            amount=amount_text(charge.amount_received),
            method=_method_label(charge, language),
            time=time_text(charge.occurred_at or charge.updated_at, texts),
            covers=_covers(charge),
            rate=_rate(charge),
        )
        for charge in charges
        if charge.status == Charge.Status.SUCCEEDED and not charge.is_parked
    )


def _covers(charge: Charge) -> str:
    """What an exchanged charge pays of the intent, in the intent's currency; empty for others."""
    if charge.settles_amount is None:
        return ""
    return amount_text(Money(charge.settles_amount, charge.payment_intent.amount.currency))


def _rate(charge: Charge) -> str:
    """``1 KES = 0.0077 USD`` of an exchanged charge; empty for others."""
    rate = charge.fx_rate
    return "" if rate is None else rate_text(rate, charge.payment_intent.currency, charge.currency)


def _partial(texts: Texts, intent: PaymentIntent) -> str:
    return texts.partial_text.format(
        paid=amount_text(intent.amount_received),
        amount=amount_text(intent.amount),
        remaining=amount_text(remaining_amount(intent)),
    )


def _surplus(texts: Texts, surplus: Money, store: str) -> str:
    return texts.paid_surplus.format(amount=amount_text(surplus), store=store) if surplus.amount else ""


def _method_label(charge: Charge, language: Language) -> str:
    """What people call the method; the bare code when its provider is not installed any more."""
    info = _provider_info(charge)
    method = info.method(charge.payment_method) if info else None
    return method_label(charge.payment_method, method.label if method else charge.payment_method, language)


def _place_label(charge: Charge | None) -> str:
    """Where the payment goes on, and who answers: the method's name, but for a card the provider's."""
    if charge is None:
        return ""
    info = _provider_info(charge)
    if info is not None and charge.payment_method == CARD:
        return info.display_name
    method = info.method(charge.payment_method) if info else None
    return method.label if method else charge.payment_method


def _provider_info(charge: Charge) -> ProviderInfo | None:
    providers = installed_providers()
    return providers.get(charge.provider).info if charge.provider in providers else None
