"""Codes that a customer's app scans."""

from __future__ import annotations

from typing import cast

from moneyed import Money

from majuu_core.providers import MakesQrCodes, ProviderError, QrCode, QrRequest
from majuu_core.testing.harness import NotOffered, Outcome, ProviderHarness
from majuu_core.testing.kit import check
from majuu_core.testing.steps import expect

_NEEDS = ("payment", "make_qr_code")
_PNG = b"\x89PNG\r\n\x1a\n"


def _make(harness: ProviderHarness, amount: Money | None, reference: str = "ORDER1") -> QrCode:
    request = QrRequest(reference=reference, amount=amount, merchant_name="Duka")
    try:
        return cast(MakesQrCodes, harness.make_provider()).make_qr_code(request)
    except ProviderError as problem:
        raise NotOffered(f"this account makes no QR codes: {type(problem).__name__}") from problem


@check(
    "qr",
    needs=_NEEDS,
    why="Pages show the picture as a PNG; anything else is a broken image in front of a customer.",
    fix="Decode what the provider sends (base64, say) and return a PNG.",
)
def picture_is_a_png(harness: ProviderHarness) -> None:
    code = _make(harness, harness.payment(Outcome.SUCCEEDS).amount)
    expect(code.png[:8] == _PNG, f"the picture begins with {code.png[:8]!r}")


@check(
    "qr",
    needs=_NEEDS,
    why="A code that says another order's amount or reference brings money that nobody can place.",
    fix="Put reference and amount of this request into the code; keep no code of an earlier one.",
)
def another_order_is_another_picture(harness: ProviderHarness) -> None:
    amount = harness.payment(Outcome.SUCCEEDS).amount
    first = _make(harness, amount)
    expect(_make(harness, amount, "ORDER2").png != first.png, "two references have the same picture")
    expect(_make(harness, amount * 2).png != first.png, "two amounts have the same picture")
