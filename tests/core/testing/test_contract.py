"""The contract as a pytest class: FakeProvider passes it, and nobody can weaken it unseen."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from majuu_core.testing.contract import ProviderContractTests
from majuu_core.testing.harness import NotOffered
from majuu_core.testing.kit import CheckFailed, CheckResult, all_checks, check, run_one
from majuu_core.testing.mock_harness import MockHarness
from tests.core.testing.full_provider import FullHarness

pytest_plugins = ["pytester"]


class TestFakeProvider(ProviderContractTests):
    @pytest.fixture
    def harness(self) -> Iterator[MockHarness]:
        harness = MockHarness()
        yield harness
        harness.close()


class TestFullProvider(ProviderContractTests):
    @pytest.fixture
    def harness(self) -> Iterator[FullHarness]:
        harness = FullHarness()
        yield harness
        harness.close()


class Weakened(ProviderContractTests):
    def test_payment_decline_is_a_value(self) -> None:
        pass


class OpenlyWeakened(ProviderContractTests):
    @pytest.mark.xfail(reason="the sandbox of this provider never declines")
    def test_payment_decline_is_a_value(self) -> None:
        raise AssertionError


@pytest.mark.skip(reason="later")
class Skipped(ProviderContractTests):
    pass


class WithoutChecks(ProviderContractTests):
    checks = ()


def test_replacing_a_check_in_silence_is_caught() -> None:
    with pytest.raises(AssertionError, match="test_payment_decline_is_a_value replaced without"):
        Weakened().test_contract_is_not_weakened()


def test_setting_a_check_to_none_is_caught() -> None:
    removed = type("Removed", (ProviderContractTests,), {"test_payment_decline_is_a_value": None})

    with pytest.raises(AssertionError, match="test_payment_decline_is_a_value replaced without"):
        removed().test_contract_is_not_weakened()


def test_replacing_a_check_with_a_reason_is_allowed() -> None:
    OpenlyWeakened().test_contract_is_not_weakened()


def test_skipping_the_whole_class_is_caught() -> None:
    with pytest.raises(AssertionError, match="the whole class is skipped"):
        Skipped().test_contract_is_not_weakened()


def test_another_list_of_checks_is_caught() -> None:
    with pytest.raises(AssertionError, match="the list of checks is replaced"):
        WithoutChecks().test_contract_is_not_weakened()


def test_every_check_is_a_test_of_the_class() -> None:
    names = {name for name in vars(ProviderContractTests) if name.startswith("test_")}

    assert names == {item.test_name for item in all_checks()} | {"test_contract_is_not_weakened"}
    assert len(all_checks()) >= 60


def test_every_check_says_why_it_matters_and_what_to_do() -> None:
    for item in all_checks():
        assert item.why.endswith(".")
        assert item.fix.endswith(".")
        assert item.id == f"{item.group}.{item.function.__name__}"


def test_two_checks_with_one_id_are_refused() -> None:
    with pytest.raises(ValueError, match=r"two checks named payment\.decline_is_a_value"):

        @check("payment", why="x", fix="y")
        def decline_is_a_value(harness: object) -> None:
            """Never runs."""


def test_a_failure_tells_what_was_seen_why_and_what_to_do() -> None:
    item = next(item for item in all_checks() if item.id == "payment.decline_is_a_value")

    text = item.explain(CheckFailed("a declined payment ended as ProviderError"))

    assert text == (
        "payment.decline_is_a_value\n"
        "  seen: a declined payment ended as ProviderError\n"
        "  why:  A decline is everyday life. An exception would alarm people and leave the payment in doubt.\n"
        "  do:   Return Result(status=FAILED, failure=…); never raise for a definite no."
    )


class Poor(MockHarness):
    def payment(self, outcome: object = None) -> object:  # type: ignore[override]
        raise NotOffered("this account takes no payments")


def run_poorly(check_id: str) -> CheckResult:
    harness = Poor()
    try:
        return run_one(next(item for item in all_checks() if item.id == check_id), harness)
    finally:
        harness.close()


def test_what_a_harness_cannot_arrange_is_left_out_and_says_why() -> None:
    result = run_poorly("payment.rate_limit_is_named")

    assert (result.outcome, result.left_out, result.detail) == ("skipped", True, "this account takes no payments")


def test_a_harness_cannot_leave_out_what_is_required() -> None:
    result = run_poorly("payment.good_payment_ends_paid")

    assert (result.outcome, result.left_out) == ("failed", False)
    assert "the harness leaves it out (this account takes no payments), and this check may not be left out" in (
        result.detail
    )


def test_what_is_required_can_be_waived_openly_with_a_reason() -> None:
    class Manual(Poor):
        waives = {"payment": "people see the money, not the provider"}

    harness = Manual()
    try:
        results = [run_one(item, harness) for item in all_checks() if item.group in ("payment", "fetch")]
    finally:
        harness.close()

    by_id = {result.id: result for result in results}
    waived = by_id["payment.good_payment_ends_paid"]
    assert (waived.outcome, waived.left_out) == ("skipped", True)
    assert waived.detail == "waived: people see the money, not the provider"
    assert by_id["fetch.unheard_of_payment_is_unknown"].outcome == "failed"


@pytest.mark.parametrize("group", ["payment", "fetch", "refund", "payout", "webhook", "authorization", "saved"])
def test_every_capability_about_money_has_checks_that_may_not_be_left_out(group: str) -> None:
    assert any(item.required for item in all_checks() if item.group == group)


def test_a_check_reaches_no_other_machine() -> None:
    class Calls(MockHarness):
        def payment(self, outcome: object = None) -> object:  # type: ignore[override]
            socket.create_connection(("192.0.2.1", 443), timeout=1)
            raise AssertionError("unreachable")

    harness = Calls()
    try:
        result = run_one(next(item for item in all_checks() if item.group == "payment"), harness)
    finally:
        harness.close()

    assert result.outcome == "failed"
    assert "OutsideNetwork: the checks of a provider reach this machine only, not ('192.0.2.1', 443)" in result.detail


def test_a_subclass_without_harness_is_told_what_to_do(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        from majuu_core.testing.contract import ProviderContractTests

        class TestMine(ProviderContractTests):
            pass
        """
    )

    outcome = pytester.runpytest_subprocess("-p", "no:django", "-p", "no:cacheprovider", "-k", "code_is_a_plain_name")

    outcome.assert_outcomes(errors=1)
    outcome.stdout.fnmatch_lines(["*give your subclass a `harness` fixture*"])
