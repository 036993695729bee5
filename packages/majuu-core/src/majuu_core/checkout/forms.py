"""The payment form: which methods and fields it has, what was entered, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from majuu_core.checkout.texts import TEXTS, Language
from majuu_core.checkout.wording import amount_text, method_label, rate_text
from majuu_core.common import randomness
from majuu_core.common.problems import Invalid
from majuu_core.merchants.models import ProviderAccount
from majuu_core.payments.exchange import terms_for
from majuu_core.payments.models import PaymentIntent
from majuu_core.payments.representation import remaining_amount
from majuu_core.providers import MethodField, PaymentMethodInfo
from majuu_core.providers.installed import installed_providers

MAX_VALUE = 100
METHOD_FIELD = "method"
ATTEMPT_FIELD = "attempt"
_ATTEMPT_LENGTH = 26
_AUTOCOMPLETE = {"phone": "tel", "email": "email"}
_INPUT = {"phone": "tel", "email": "email"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FormField:
    """One input. ``name`` is the input's name, ``key`` the provider's name of the value."""

    key: str
    name: str
    label: str
    kind: str
    input_type: str
    autocomplete: str
    is_required: bool
    hint: str = ""
    value: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormMethod:
    """A way to pay with its inputs."""

    code: str
    label: str
    pay_with: str
    is_chosen: bool
    fields: tuple[FormField, ...]
    note: str = ""
    price: str = ""  # what is charged, where that is in another currency than is owed
    attempt: str = ""  # of the method's own form, where it has one

    @property
    def is_button(self) -> bool:
        """There is nothing to enter or to read first: a press of its button is enough."""
        return not self.fields and not self.note


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentForm:
    """What the customer sees and sends. ``attempt`` names this form: sent twice, it still starts one payment."""

    methods: tuple[FormMethod, ...]
    button: str
    attempt: str
    error: str = ""

    @property
    def fillable(self) -> tuple[FormMethod, ...]:
        """The methods of the form, where something is entered."""
        return tuple(method for method in self.methods if not method.is_button)

    @property
    def buttons(self) -> tuple[FormMethod, ...]:
        """The methods beside the form, each with a button of its own."""
        return tuple(method for method in self.methods if method.is_button)

    @property
    def has_choice(self) -> bool:
        return len(self.fillable) > 1

    @property
    def sent_attempt(self) -> str:
        """The attempt of the form that was sent."""
        return (self.chosen.attempt if self.chosen else "") or self.attempt

    @property
    def chosen(self) -> FormMethod | None:
        return next((method for method in self.methods if method.is_chosen), None)

    @property
    def has_errors(self) -> bool:
        return bool(self.error) or any(item.error for method in self.methods for item in method.fields)

    def values(self) -> dict[str, str]:
        """What was entered for the chosen method, by the provider's names. Empty optional ones are left out."""
        return {item.key: item.value for item in self.chosen.fields if item.value} if self.chosen else {}

    def with_error(self, problem: Invalid, text: str) -> PaymentForm:
        """The form with a refusal beside the field it is about, or above the form."""
        key = problem.field.rpartition(".")[2]
        return self.mark(key, text)

    def mark(self, key: str, text: str) -> PaymentForm:
        """The form with a text beside the chosen method's field ``key``; above the form when there is none."""
        chosen = self.chosen
        if chosen is None or key not in {item.key for item in chosen.fields}:
            return replace(self, error=text)
        fields = tuple(replace(item, error=text) if item.key == key else item for item in chosen.fields)
        marked = replace(chosen, fields=fields)
        return replace(self, methods=tuple(marked if item is chosen else item for item in self.methods))


@dataclass(frozen=True, slots=True)
class FormMaker:
    """Makes the form of one intent in one language."""

    intent: PaymentIntent
    offered: Mapping[str, Sequence[ProviderAccount]]
    language: Language
    is_retry: bool = False
    entered: Mapping[str, str] = field(default_factory=dict)

    def make(self) -> PaymentForm:
        """The form, with what was entered."""
        texts = TEXTS[self.language]
        amount = amount_text(remaining_amount(self.intent))
        infos = self._infos()
        methods = [self._method(code, info) for code, info in infos.items()]
        first = next((method.code for method in methods if not method.is_button), next(iter(infos), None))
        chosen = self.entered.get(METHOD_FIELD) if self.entered else first
        return PaymentForm(
            methods=tuple(self._marked(method, chosen) for method in methods),
            button=(texts.retry_button if self.is_retry else texts.pay_button).format(amount=amount),
            attempt=self._attempt(),
        )

    def _infos(self) -> dict[str, PaymentMethodInfo]:
        registry = installed_providers()
        found = {code: registry.get(accounts[0].provider).info.method(code) for code, accounts in self.offered.items()}
        return {code: info for code, info in found.items() if info is not None}

    def _marked(self, method: FormMethod, chosen: str | None) -> FormMethod:
        """The method, chosen or not. A button is a form of its own, and so is an attempt of its own."""
        if not method.is_button:
            return replace(method, is_chosen=method.code == chosen)
        attempt = self._attempt() if method.code == chosen else _new_attempt()
        return replace(method, is_chosen=method.code == chosen, attempt=attempt)

    def _method(self, code: str, info: PaymentMethodInfo) -> FormMethod:
        texts = TEXTS[self.language]
        fields = tuple(self._field(info, item) for item in info.fields)
        label = method_label(code, info.label, self.language)
        return FormMethod(
            code=code,
            label=label,
            pay_with=texts.pay_with.format(method=label),
            is_chosen=False,
            fields=fields,
            note=self._note(code, any(item.kind == "phone" for item in info.fields), texts.mock_hint),
            price=self._price(code),
        )

    def _price(self, code: str) -> str:
        """What the method takes instead of what is owed, at the rate that is promised now."""
        provider = installed_providers().get(self.offered[code][0].provider)
        terms = terms_for(provider, code, remaining_amount(self.intent))
        if terms is None or terms.rate is None:
            return ""
        rate = rate_text(terms.rate, terms.owed.currency.code, terms.charged.currency.code)
        return TEXTS[self.language].you_pay.format(charged=amount_text(terms.charged), rate=rate)

    def _note(self, code: str, has_phone: bool, mock_hint: str) -> str:
        if code == "mock" and not self.intent.livemode:
            return mock_hint
        texts = TEXTS[self.language]
        told = {"bank_transfer": texts.bank_transfer_note, "cash": texts.cash_note}
        return texts.prompt_promise if has_phone else told.get(code, "")

    def _field(self, info: PaymentMethodInfo, item: MethodField) -> FormField:
        name = f"{info.code}.{item.name}"
        return FormField(
            key=item.name,
            name=name,
            label=self._label(info, item),
            kind=item.kind,
            input_type=_INPUT.get(item.kind, "text"),
            autocomplete=_AUTOCOMPLETE.get(item.kind, "off"),
            is_required=item.required,
            hint=TEXTS[self.language].phone_hint if item.kind == "phone" else "",
            value=_readable(self.entered.get(name, "")),
        )

    def _label(self, info: PaymentMethodInfo, item: MethodField) -> str:
        """The provider labels its fields in English; for the common kinds we know the Swahili words."""
        if self.language == "sw" and item.kind == "phone":
            return TEXTS["sw"].phone_label.format(method=info.label)
        return TEXTS["sw"].email_label if self.language == "sw" and item.kind == "email" else item.label

    def _attempt(self) -> str:
        sent = self.entered.get(ATTEMPT_FIELD, "")
        good = len(sent) == _ATTEMPT_LENGTH and set(sent) <= set(randomness.URL_SAFE_ALPHABET)
        return sent if good else _new_attempt()


def _new_attempt() -> str:
    return randomness.encode_url_safe(randomness.secret_bytes(16))


def _readable(text: str) -> str:
    """What was entered, without control characters, cut just beyond what is allowed so that its length is noticed."""
    return "".join(character for character in text if character.isprintable()).strip()[: MAX_VALUE + 1]


def first_refusal(form: PaymentForm) -> Invalid | None:
    """What is wrong before any provider has looked: no method, an empty field, one that is too long."""
    if form.chosen is None:
        return Invalid("method_missing", "Choose how you want to pay.")
    for item in form.chosen.fields:
        where = f"payment_method_data.{item.key}"
        if item.is_required and not item.value:
            code = "phone_missing" if item.kind == "phone" else "field_required"
            return Invalid(code, "Fill this in.", field=where)
        if len(item.value) > MAX_VALUE:
            return Invalid("field_too_long", "This is too long.", field=where)
    return None
