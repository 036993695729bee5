"""Every request we make, checked against Stripe's own description of its API where the file is at hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

pytest.importorskip("majuu_sim.stripe", reason="majuu-sim is not installed")
pytest.importorskip("jsonschema", reason="jsonschema is not installed")

from majuu_core.common import clock
from majuu_core.common.money import Money
from majuu_core.providers import (
    DisputeStatus,
    EvidenceFile,
    EvidenceRequest,
    FetchRequest,
    RequestRejected,
    ResultStatus,
    SavedMethodStatus,
)
from majuu_core.testing.harness import Outcome
from tests.shared_files import shared_fixture
from tests.stripe.harness import ENDPOINT, StripeHarness

_S = ResultStatus


@pytest.fixture
def harness() -> Iterator[StripeHarness]:
    harness = StripeHarness(schema_path=str(shared_fixture("specs/stripe_prism_lean.json")))
    assert harness.sim.state()["checked_against_schema"] > 40
    yield harness
    harness.close()


def test_the_checker_checks(harness: StripeHarness) -> None:
    account = harness.make_provider()._account()

    with pytest.raises(RequestRejected):
        account.api.send(lambda v1: v1.refunds.create({"charge": "ch_1", "colour": "blue"}))


def test_payments_and_refunds(harness: StripeHarness) -> None:
    provider = harness.make_provider()
    hosted = harness.payment(Outcome.NEEDS_ACTION)
    opened = provider.sale(replace(hosted, customer_email="asha@example.com", merchant_reference="ORDER-7"))
    held = provider.authorize(harness.payment())
    taken = provider.capture(harness.follow_up("ch", held, amount=Money(600, "KES")))
    let_go = provider.void(harness.follow_up("ch", provider.authorize(harness.payment())))
    closed = provider.void(harness.follow_up("ch", opened))
    back = harness.follow_up("re", taken, amount=Money(5, "KES"))
    refunded = provider.refund(replace(back, reason="Broken"))

    assert [one.status for one in (opened, held, taken, let_go, closed, refunded)] == [
        _S.REQUIRES_ACTION,
        _S.AUTHORIZED,
        _S.SUCCEEDED,
        _S.CANCELED,
        _S.CANCELED,
        _S.SUCCEEDED,
    ]
    for reference in (opened.provider_reference, None):
        question = FetchRequest(reference=hosted.reference, provider_reference=reference)
        assert provider.fetch_payment(question).status is _S.CANCELED
    for reference in (refunded.provider_reference, None):
        question = FetchRequest(reference=back.reference, provider_reference=reference)
        assert provider.fetch_refund(question).status is _S.SUCCEEDED


def test_saved_cards(harness: StripeHarness) -> None:
    provider = harness.make_provider()
    wanted = replace(harness.save_method(), customer_name="Asha", customer_email="asha@example.com")
    saved = provider.save_method(wanted)
    in_page = provider.save_method(harness.save_method(Outcome.NEEDS_ACTION))
    by_hand = replace(
        harness.payment(),
        saved_method=saved.method_reference,
        customer_reference=saved.customer_reference,
        customer_present=False,
    )

    assert (saved.status, in_page.status) == (SavedMethodStatus.ACTIVE, SavedMethodStatus.REQUIRES_ACTION)
    assert provider.sale(by_hand).status is _S.SUCCEEDED
    for reference in (saved.provider_reference, None):
        question = FetchRequest(reference=wanted.reference, provider_reference=reference)
        assert provider.fetch_saved_method(question) == saved
    assert provider.forget_method(saved).status is SavedMethodStatus.REMOVED


def test_disputes_statement_and_checks(harness: StripeHarness) -> None:
    provider = harness.make_provider()
    paid = provider.sale(harness.payment())
    opened = harness.sim.dispute(paid.receipt or "")
    texts = {field.name: "Posta" for field in provider.info.evidence_fields if field.kind == "text"}
    files = tuple(
        EvidenceFile(field=field.name, name="a.pdf", content_type="application/pdf", content=b"%PDF-1.7")
        for field in provider.info.evidence_fields
        if field.kind == "file"
    )
    sent = provider.submit_evidence(
        EvidenceRequest(
            idempotency_key="key", reference="dp_1", provider_reference=opened["id"], texts=texts, files=files
        )
    )
    given_up = provider.accept_dispute(replace(harness.follow_up("dp", paid), provider_reference=opened["id"]))
    today = clock.now().date()

    assert (len(texts), len(files)) == (18, 9)
    assert (sent.status, given_up.status) == (DisputeStatus.NEEDS_RESPONSE, DisputeStatus.ACCEPTED)
    assert len(list(provider.list_disputes(since=clock.now() - timedelta(days=1)))) == 1
    assert len(list(provider.list_settlement_lines(start=today, end=today))) == 2
    assert {check.state for check in provider.self_checks(callback_url=ENDPOINT)} == {"ok"}
