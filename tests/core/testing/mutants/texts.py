"""Providers broken on purpose: secrets, statements, payers' data and texts."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

from moneyed import Money

from majuu_core.providers import (
    Explanation,
    FailureCode,
    NotSent,
    PaymentRequest,
    Result,
    SettlementLine,
)
from majuu_core.testing.fake import FakeProvider
from tests.core.testing.full_provider import FullProvider
from tests.core.testing.mutants.base import caught_by


@caught_by("secrecy.not_in_repr")
class ShowsItsSecret(FakeProvider):
    def __repr__(self) -> str:
        return f"<provider {self._secret.decode()}>"


@caught_by("secrecy.not_in_results")
class KeepsItsSecretInRaw(FakeProvider):
    def sale(self, request: PaymentRequest) -> Result:
        return replace(super().sale(request), raw={"auth": self._secret.decode()})


@caught_by("secrecy.not_in_results")
class KeepsCardNumbers(FakeProvider):
    def sale(self, request: PaymentRequest) -> Result:
        return replace(super().sale(request), raw={"card": " ".join(["4242"] * 4)})


@caught_by("secrecy.not_in_exceptions")
class ComplainsWithItsSecret(FakeProvider):
    def sale(self, request: PaymentRequest) -> Result:
        try:
            return super().sale(request)
        except NotSent as problem:
            raise NotSent(f"no connection with {self._secret.decode()}") from problem


@caught_by("secrecy.not_in_logs")
class LogsItsSecret(FakeProvider):
    def sale(self, request: PaymentRequest) -> Result:
        logging.getLogger("mutant").debug("signing with %s", self._secret.decode())
        return super().sale(request)


@caught_by("secrecy.not_in_stored_exchanges", "secrecy.not_in_logs")
class SendsItsSecretInTheAddress(FullProvider):
    def tell(self, request: PaymentRequest) -> None:
        self.context.http.send("GET", f"https://provider.invalid/{self._secret.decode()}/sale", operation="sale")


@caught_by("settlement.paid_payment_is_listed")
class LeavesPaymentsOut(FullProvider):
    def list_settlement_lines(self, *, start: date, end: date) -> Iterator[SettlementLine]:
        return iter(())


@caught_by("settlement.lines_are_well_formed")
class ChargesANegativeFee(FullProvider):
    def list_settlement_lines(self, *, start: date, end: date) -> Iterator[SettlementLine]:
        for line in super().list_settlement_lines(start=start, end=end):
            yield replace(line, fee=Money(-1, "KES"))


@caught_by(
    "settlement.reading_twice_changes_nothing",
    "settlement.both_days_are_included",
)
class ForgetsWhatItListed(FullProvider):
    def list_settlement_lines(self, *, start: date, end: date) -> Iterator[SettlementLine]:
        yield from list(super().list_settlement_lines(start=start, end=end))
        self.context.cache.delete("lines")


@caught_by("prepare.preparing_twice_changes_nothing")
class PreparesAgainAndAgain(FullProvider):
    def prepare_payment(self, request: PaymentRequest) -> PaymentRequest:
        data = {
            "phone": request.payment_method_data["phone"],
            "seen": request.payment_method_data.get("seen", "") + "x",
        }
        super().prepare_payment(request)
        return replace(request, payment_method_data=data)


@caught_by("prepare.money_and_key_are_left_alone")
class PreparesANewKey(FullProvider):
    def prepare_payment(self, request: PaymentRequest) -> PaymentRequest:
        return replace(super().prepare_payment(request), idempotency_key=f"other-{request.reference}")


@caught_by("prepare.bad_data_is_explained")
class TakesAnyNumber(FullProvider):
    def prepare_payment(self, request: PaymentRequest) -> PaymentRequest:
        return replace(request, payment_method_data={"phone": "254712345678"})


@caught_by("explain.declines_are_explained_in_both_languages")
class SpeaksOnlyEnglish(FakeProvider):
    def explain_failure(self, provider_code: str, *, language: str) -> Explanation | None:
        return super().explain_failure(provider_code, language="en")


@caught_by("explain.unknown_codes_are_survived")
class StumblesOverNewCodes(FakeProvider):
    def explain_failure(self, provider_code: str, *, language: str) -> Explanation | None:
        FailureCode(provider_code)
        return super().explain_failure(provider_code, language=language)


@caught_by("settlement.both_days_are_included")
class LeavesTheLastDayOut(FullProvider):
    def list_settlement_lines(self, *, start: date, end: date) -> Iterator[SettlementLine]:
        return super().list_settlement_lines(start=start, end=end - timedelta(days=1))


@caught_by("settlement.both_days_are_included")
class LeavesTheFirstDayOut(FullProvider):
    def list_settlement_lines(self, *, start: date, end: date) -> Iterator[SettlementLine]:
        return super().list_settlement_lines(start=start + timedelta(days=1), end=end)


@caught_by("settlement.line_ids_are_unique")
class NamesLinesByTheirDay(FullProvider):
    def list_settlement_lines(self, *, start: date, end: date) -> Iterator[SettlementLine]:
        for line in super().list_settlement_lines(start=start, end=end):
            yield replace(line, line_id=f"line-{line.settled_on}")


@caught_by("settlement.line_ids_are_stable")
class NumbersTheLinesItLists(FullProvider):
    """The newest first, as most statements are."""

    def list_settlement_lines(self, *, start: date, end: date) -> Iterator[SettlementLine]:
        lines = list(super().list_settlement_lines(start=start, end=end))
        for number, line in enumerate(reversed(lines)):
            yield replace(line, line_id=f"line-{number}")


@caught_by("settlement.line_ids_are_stable")
class NumbersLinesFromTheFirstDayAskedFor(FullProvider):
    def list_settlement_lines(self, *, start: date, end: date) -> Iterator[SettlementLine]:
        for number, line in enumerate(super().list_settlement_lines(start=start, end=end)):
            yield replace(line, line_id=f"{start}-{number}")
