"""Taking money at once or holding it first: which providers can, and which call begins a payment."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from majuu_core.common.problems import Invalid
from majuu_core.payments.models import PaymentIntent
from majuu_core.providers import (
    PaymentProvider,
    PaymentRequest,
    Result,
    SupportsAuthorization,
    SupportsSale,
    operations,
)
from majuu_core.providers.installed import installed_providers

_MANUAL = PaymentIntent.CaptureMethod.MANUAL


def can_start(provider: type[PaymentProvider], capture_method: str) -> bool:
    """Whether the provider can begin a payment whose money is taken so."""
    return ("authorize" if capture_method == _MANUAL else "sale") in operations(provider)


def starting_operation(provider: PaymentProvider, capture_method: str) -> Callable[[PaymentRequest], Result]:
    """What begins a payment at the provider. Raises TypeError for one that cannot."""
    if capture_method == _MANUAL:
        if isinstance(provider, SupportsAuthorization):
            return provider.authorize
    elif isinstance(provider, SupportsSale):
        return provider.sale
    raise TypeError(f"the provider {provider.code} cannot begin a payment with {capture_method} capture")


def check_capture_method(capture_method: str, payment_methods: Sequence[str], *, field: str = "") -> None:
    """Raise Invalid when money that is captured later cannot be held by one of the payment methods; by none at all,
    if all would fit."""
    if capture_method not in PaymentIntent.CaptureMethod.values:
        raise Invalid("capture_method_unknown", 'capture_method is "automatic" or "manual".', field="capture_method")
    if capture_method != _MANUAL:
        return
    able = _methods_that_hold()
    for number, method in enumerate(payment_methods):
        if method not in able:
            text = f"{method} cannot hold money. {_what_can(able)}"
            raise Invalid("capture_method_unsupported", text, field=field or f"payment_methods.{number}")
    if not able:
        raise Invalid("capture_method_unsupported", _what_can(able), field="capture_method")


def _methods_that_hold() -> list[str]:
    able = [provider for provider in installed_providers() if can_start(provider, _MANUAL)]
    return sorted({method.code for provider in able for method in provider.info.payment_methods})


def _what_can(able: Sequence[str]) -> str:
    if not able:
        return 'No installed provider can: use "automatic" capture.'
    return f'These can: {", ".join(able)}. Or use "automatic" capture.'
