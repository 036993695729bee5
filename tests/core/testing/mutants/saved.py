"""Providers broken on purpose: methods that customers leave for later."""

from __future__ import annotations

from dataclasses import replace

from majuu_core.common import randomness
from majuu_core.providers import (
    FetchRequest,
    PaymentRequest,
    ProviderError,
    RequestRejected,
    Result,
    SavedMethodState,
    SavedMethodStatus,
    SaveMethodRequest,
)
from majuu_core.testing.fake import FakeProvider
from majuu_core.testing.mock_saved import MockSaving
from tests.core.testing.mutants.base import caught_by

ACTIVE = SavedMethodStatus.ACTIVE


@caught_by(
    "saved.good_saving_ends_active",
    "saved.description_can_be_shown",
    "saved.forgetting_again_says_removed",
    "saved.forgotten_one_pays_nothing",
    "saved.no_card_number_is_kept",
    "saved.saved_one_pays",
)
class NeverFinishesSaving(FakeProvider):
    def _saving_state(self, saving: MockSaving, *, url: str = "") -> SavedMethodState:
        state = super()._saving_state(saving, url=url)
        return replace(state, status=SavedMethodStatus.PENDING) if state.status is ACTIVE else state


@caught_by("saved.good_saving_ends_active")
class SavesUnderTwoNames(FakeProvider):
    def save_method(self, request: SaveMethodRequest) -> SavedMethodState:
        state = super().save_method(request)
        active = state.status is ACTIVE
        status = SavedMethodStatus.PENDING if active else state.status
        return replace(state, status=status)

    def fetch_saved_method(self, request: FetchRequest) -> SavedMethodState:
        state = super().fetch_saved_method(request)
        return replace(state, provider_reference=state.method_reference) if state.status is ACTIVE else state

    def forget_method(self, state: SavedMethodState) -> SavedMethodState:
        self._memory.keep("forgotten", state.method_reference.split("_")[1], "1")
        return SavedMethodState(
            status=SavedMethodStatus.REMOVED,
            provider_reference=state.provider_reference,
        )


@caught_by("saved.asked_for_action_is_not_active")
class CallsThemActiveTooEarly(FakeProvider):
    def fetch_saved_method(self, request: FetchRequest) -> SavedMethodState:
        state = super().fetch_saved_method(request)
        if state.next_action is None:
            return state
        return replace(state, status=ACTIVE, next_action=None, method_reference="mockcard_early")


@caught_by("saved.decline_is_a_value")
class RaisesForADeclinedSaving(FakeProvider):
    def save_method(self, request: SaveMethodRequest) -> SavedMethodState:
        state = super().save_method(request)
        if state.failure:
            raise ProviderError("declined")
        return state


@caught_by("saved.made_up_one_is_not_active")
class InventsASavedMethod(FakeProvider):
    def fetch_saved_method(self, request: FetchRequest) -> SavedMethodState:
        state = super().fetch_saved_method(request)
        if state.failure is None or state.failure.provider_code != "not_found":
            return state
        return replace(state, status=ACTIVE, failure=None, method_reference="mockcard_made_up")


@caught_by("saved.same_key_saves_once")
class SavesTwice(FakeProvider):
    def save_method(self, request: SaveMethodRequest) -> SavedMethodState:
        saving = MockSaving.read(super().save_method(request).provider_reference, self._secret)
        assert saving is not None
        return self._saving_state(replace(saving, nonce=randomness.secret_bytes(8).hex()))


@caught_by("saved.no_card_number_is_kept")
class KeepsTheWholeCard(FakeProvider):
    def save_method(self, request: SaveMethodRequest) -> SavedMethodState:
        return replace(super().save_method(request), raw={"number": " ".join(["4242"] * 4)})


@caught_by("saved.description_can_be_shown")
class WritesMonthsItsOwnWay(FakeProvider):
    def save_method(self, request: SaveMethodRequest) -> SavedMethodState:
        return replace(super().save_method(request), expires="4/30")


@caught_by("saved.saved_one_pays")
class CannotPayByWhatItSaved(FakeProvider):
    def sale(self, request: PaymentRequest) -> Result:
        if request.saved_method:
            return super().sale(replace(request, saved_method=f"{request.saved_method}x"))
        return super().sale(request)


@caught_by("saved.forgetting_again_says_removed")
class ForgetsOnlyOnce(FakeProvider):
    def forget_method(self, state: SavedMethodState) -> SavedMethodState:
        saving = MockSaving.read(state.provider_reference, self._secret)
        if saving is not None and self._memory.get("forgotten", saving.nonce):
            raise RequestRejected("there is no such method", code="not_found")
        return super().forget_method(state)


@caught_by("saved.forgotten_one_pays_nothing")
class PaysByWhatIsGone(FakeProvider):
    def _refused_method(self, request: PaymentRequest) -> Result | None:
        return None if request.saved_method.startswith("mockcard_") else super()._refused_method(request)


@caught_by("saved.forgotten_one_pays_nothing")
class RaisesForAForgottenMethod(FakeProvider):
    def sale(self, request: PaymentRequest) -> Result:
        if self._refused_method(request):
            raise RequestRejected("there is no such method", code="not_found")
        return super().sale(request)
