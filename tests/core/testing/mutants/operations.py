"""Providers broken on purpose: balances, QR codes and what they find out about themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from moneyed import Money

from majuu_core.providers import BalanceAnswer, BalanceQuery, QrCode, QrRequest, SelfCheck
from majuu_core.testing.fake import FakeProvider
from tests.core.testing.mutants.base import caught_by


@caught_by("balance.answer_is_now_or_has_a_reference")
class PromisesBalancesWithoutReference(FakeProvider):
    def request_balances(self, query: BalanceQuery) -> BalanceAnswer:
        return BalanceAnswer(balances=None)


@caught_by("balance.answer_is_now_or_has_a_reference")
class KnowsNoAccount(FakeProvider):
    def request_balances(self, query: BalanceQuery) -> BalanceAnswer:
        return BalanceAnswer(balances=())


@caught_by("balance.parts_share_the_currency")
class MixesCurrenciesInABalance(FakeProvider):
    def request_balances(self, query: BalanceQuery) -> BalanceAnswer:
        first, *others = super().request_balances(query).balances or ()
        return BalanceAnswer(balances=(replace(first, available=Money("50000.00", "USD")), *others))


@caught_by("balance.available_is_not_more_than_current")
class TakesCurrentForAvailable(FakeProvider):
    """Reads the fields in another order, as several clients of M-Pesa do."""

    def request_balances(self, query: BalanceQuery) -> BalanceAnswer:
        balances = super().request_balances(query).balances or ()
        return BalanceAnswer(balances=tuple(replace(item, available=item.current) for item in balances))


@caught_by("qr.picture_is_a_png")
class LeavesThePictureInBase64(FakeProvider):
    def make_qr_code(self, request: QrRequest) -> QrCode:
        code = super().make_qr_code(request)
        return replace(code, png=code.png.hex().encode())


@caught_by("qr.another_order_is_another_picture")
class ForgetsTheAmountInItsCode(FakeProvider):
    def make_qr_code(self, request: QrRequest) -> QrCode:
        return super().make_qr_code(replace(request, amount=None))


@caught_by("qr.another_order_is_another_picture")
class ForgetsTheReferenceInItsCode(FakeProvider):
    def make_qr_code(self, request: QrRequest) -> QrCode:
        return super().make_qr_code(replace(request, reference=""))


@caught_by("self_check.trouble_is_an_answer")
class RaisesWhileCheckingItself(FakeProvider):
    def self_checks(self, *, callback_url: str) -> Iterator[SelfCheck]:
        yield from super().self_checks(callback_url=callback_url)
        if not callback_url.startswith("http"):
            raise ValueError("unknown url type")


@caught_by("self_check.trouble_is_an_answer")
class AnswersInWordsOfItsOwn(FakeProvider):
    def self_checks(self, *, callback_url: str) -> Iterator[SelfCheck]:
        for answer in super().self_checks(callback_url=callback_url):
            yield replace(answer, state="fine" if answer.state == "ok" else answer.state)


@caught_by("self_check.no_secret_is_told")
class TellsItsSecret(FakeProvider):
    def self_checks(self, *, callback_url: str) -> Iterator[SelfCheck]:
        yield SelfCheck(name="Secret", state="ok", message=f"It is {self._secret.decode()}.")
