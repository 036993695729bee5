"""Providers broken on purpose: what they say about themselves."""

from __future__ import annotations

from dataclasses import replace

from majuu_core.providers import (
    BalanceAnswer,
    BalanceQuery,
    InvalidCredentials,
    PaymentRequest,
    ProviderContext,
    Result,
)
from majuu_core.testing.fake import FakeProvider
from tests.core.testing.mutants.base import FAILED, caught_by, without


@caught_by("definition.code_is_a_plain_name")
class ShoutsItsCode(FakeProvider):
    code = "My Provider"


@caught_by("definition.class_is_complete")
class IsOfAnotherVersion(FakeProvider):
    contract_version = 99


@caught_by("definition.capabilities_are_whole")
class RefundsButCannotLook(without("fetch_refund")):  # type: ignore[misc]
    pass


@caught_by("definition.something_is_offered")
class OffersNothing(without("sale", "authorize", "capture", "void", "payout", "fetch_payout")):  # type: ignore[misc]
    pass


@caught_by(
    "definition.signatures_fit",
    "balance.answer_is_now_or_has_a_reference",
    "balance.parts_share_the_currency",
    "balance.available_is_not_more_than_current",
)
class WantsMoreArguments(FakeProvider):
    def request_balances(self, query: BalanceQuery, token: str) -> BalanceAnswer:  # type: ignore[override]
        return super().request_balances(query)


@caught_by("definition.harness_drives_this_class")
class IsSomebodyElse(FakeProvider):
    def __new__(cls, context: ProviderContext) -> FakeProvider:  # type: ignore[misc]
        return FakeProvider(context)


@caught_by("definition.facts_are_usable")
class NamesACountryInFull(FakeProvider):
    info = replace(FakeProvider.info, countries=frozenset({"Kenya"}))


@caught_by("definition.follow_ups_rise")
class NeverFollowsUp(FakeProvider):
    info = replace(FakeProvider.info, follow_up_seconds=())


@caught_by("credentials.bad_ones_are_named")
class AcceptsAnyCredentials(FakeProvider):
    def check_credentials(self) -> None:
        return None


@caught_by("credentials.good_ones_are_accepted")
class RefusesGoodCredentials(FakeProvider):
    def check_credentials(self) -> None:
        raise InvalidCredentials("no")


@caught_by("credentials.bad_ones_are_no_decline")
class CallsWrongKeysADecline(FakeProvider):
    def sale(self, request: PaymentRequest) -> Result:
        return FAILED if self.context.livemode else super().sale(request)
