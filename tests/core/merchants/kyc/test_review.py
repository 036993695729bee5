"""Who may decide about a case, when, and what a refusal leaves alone."""

from __future__ import annotations

import threading
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test import override_settings

from majuu_core.common.problems import Conflict, Denied, Invalid, Problem
from majuu_core.merchants.errors import ActionRefused, InvalidInput
from majuu_core.merchants.kyc import screening
from majuu_core.merchants.kyc.cases import save_business, save_person, submit
from majuu_core.merchants.kyc.letters import send_letters
from majuu_core.merchants.kyc.reverification import mark_due
from majuu_core.merchants.kyc.review import approve, ask_for_more, assign, reject, send_back, set_risk, take
from majuu_core.merchants.kyc.screening import judge_hit, rescreen
from majuu_core.merchants.kyc.sealing import open_account, open_identity
from majuu_core.merchants.kyc.standing import standing
from majuu_core.merchants.kyc.transitions import TRANSITIONS, Mover
from majuu_core.merchants.models import KycCase, KycDecision, KycHit, KycLetter, KycPerson, LiveApproval, Merchant
from majuu_core.merchants.services import add_member
from majuu_core.testing.factories import make_merchant, make_user
from majuu_core.testing.kyc import accept_documents, acting, make_case, make_reviewer, person_details
from tests.core.merchants.support import everything

pytestmark = pytest.mark.django_db
PAGE = Path(__file__).parents[4] / "docs/explanation/kyc.md"


def all_rows() -> list[Any]:
    models = (KycCase, KycPerson, KycHit, KycDecision, KycLetter, LiveApproval)
    return [everything(), *(list(model._base_manager.order_by("pk").values()) for model in models)]


def ready(*, risk: str = "") -> tuple[KycCase, Any]:
    """A case that its reviewer could approve, and the reviewer."""
    reviewer = make_reviewer()
    case = accept_documents(make_case(submitted=True), reviewer)
    if risk:
        with acting(reviewer):
            case = set_risk(case=case, risk=risk, reason="Sells abroad.")
    return case, reviewer


def refused(problem: type[Problem], code: str, who: Any, service: Any, **arguments: Any) -> None:
    before = all_rows()
    with acting(who), pytest.raises(problem) as refusal:
        service(**arguments)
    assert (refusal.value.code, all_rows()) == (code, before)


def test_whoever_may_not_review_changes_nothing() -> None:
    case, _ = ready()
    for user in (make_user(), make_user(is_staff=True), make_reviewer(is_active=False)):
        for service, arguments in (
            (approve, {}),
            (reject, {"reason": "No."}),
            (take, {}),
            (ask_for_more, {"text": "?"}),
        ):
            refused(Denied, "review_not_allowed", user, service, case=case, **arguments)
    before = all_rows()
    with pytest.raises(Denied):
        approve(case=case)  # nobody acts: the system is no reviewer
    assert all_rows() == before


def test_a_member_of_the_business_and_an_uploader_do_not_review_it() -> None:
    case, _ = ready()
    member, uploader = make_reviewer(), make_reviewer()
    add_member(merchant=case.merchant, user=member, role="viewer")
    case.documents.update(uploaded_by=uploader)
    refused(Conflict, "own_business", member, approve, case=case)
    refused(Conflict, "own_document", uploader, approve, case=case)
    refused(Conflict, "own_business", make_reviewer(), assign, case=case, user=member)
    refused(Invalid, "not_a_reviewer", make_reviewer(), assign, case=case, user=make_user())


def test_high_risk_needs_two_people() -> None:
    case, first = ready(risk="high")
    with acting(first):
        assert approve(case=case).state == "second_review"
    assert not LiveApproval.objects.filter(merchant=case.merchant).exists()
    refused(Conflict, "second_person_required", first, approve, case=case)
    refused(Conflict, "second_person_required", first, reject, case=case, reason="No.")
    second = make_reviewer()
    with acting(second):
        assert send_back(case=case, reason="The address.").state == "in_review"
    with acting(first):
        approve(case=case)
    with acting(second):
        assert approve(case=case).state == "approved"
    assert LiveApproval.objects.get(merchant=case.merchant).approved_by == f"user:{second.pk}"


def test_who_lowers_a_high_risk_does_not_approve_alone() -> None:
    case, first = ready(risk="high")
    with acting(first):
        set_risk(case=case, risk="normal", reason="It is small.")
    refused(Conflict, "second_person_required", first, approve, case=case)
    with acting(make_reviewer()):
        assert approve(case=case).state == "approved"


def test_handing_the_case_in_anew_does_not_let_who_lowered_the_risk_approve_alone(virtual_clock: Any) -> None:
    case, first = ready(risk="high")
    with acting(first):
        set_risk(case=case, risk="normal", reason="It is small.")
        ask_for_more(case=case, text="Where do you sell?")
    virtual_clock.advance(timedelta(hours=1))
    submit(case=case)
    with acting(first):
        take(case=case)
    refused(Conflict, "second_person_required", first, approve, case=case)
    with acting(make_reviewer()):
        assert approve(case=case).state == "approved"


def test_who_handed_the_case_in_does_not_review_it_even_after_leaving_the_business() -> None:
    case, reviewer = make_case(), make_reviewer()
    with acting(reviewer):
        submit(case=case)
    refused(Conflict, "own_case", reviewer, take, case=case)
    refused(Conflict, "own_case", make_reviewer(), assign, case=case, user=reviewer)


def test_nothing_is_approved_that_was_not_accepted_or_not_compared_or_has_moved() -> None:
    reviewer = make_reviewer()
    case = make_case(submitted=True)
    with acting(reviewer):
        take(case=case)
    refused(ActionRefused, "kyc_incomplete", reviewer, approve, case=case)
    case, reviewer = ready()
    refused(Conflict, "kyc_moved", reviewer, approve, case=case, seen_state="submitted")
    KycCase.objects.filter(pk=case.pk).update(screened_at=None)
    refused(ActionRefused, "kyc_not_screened", reviewer, approve, case=case)


def test_names_that_change_while_they_are_compared_are_not_taken_for_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    case = make_case(submitted=True)
    person, hit = case.people.get(), KycHit(case=case, list_code="un", entry_id="1", entry_name="X", matched_name="X")
    hit.score, hit.fingerprint = 99, "f" * 64
    hit.save()

    def slow_service(*_: Any, **__: Any) -> list[Any]:
        KycPerson.objects.filter(pk=person.pk).update(name="Somebody Else")
        return []

    monkeypatch.setattr(screening, "collect", slow_service)
    assert screening.screen_case(case) == 0
    case.refresh_from_db()
    hit.refresh_from_db()
    assert (case.screened_at, hit.state) == (None, "open")


def test_approving_again_changes_nothing() -> None:
    case, reviewer = ready()
    with acting(reviewer):
        approve(case=case)
        before = all_rows()
        approve(case=case)
    assert all_rows() == before


def test_an_incomplete_case_is_not_submitted_and_all_that_is_missing_is_named() -> None:
    case = make_case(legal_form="private_company", description="")
    before = all_rows()
    with pytest.raises(InvalidInput) as refusal:
        submit(case=case)
    assert [item.field for item in refusal.value.violations] == ["description", "documents.ownership"]
    assert all_rows() == before


@pytest.mark.parametrize("pin", ["P05123456Z", "X051234567Z", "P0512345678", "P051234567ZZ"])
def test_a_kra_pin_has_its_form(pin: str) -> None:
    case = make_case()
    before = all_rows()
    with pytest.raises(InvalidInput) as refusal:
        save_business(case=case, values={"tax_pin": pin, "city": "Kisumu"})
    assert (refusal.value.field, all_rows()) == ("tax_pin", before)
    assert save_business(case=case, values={"tax_pin": " p051234567z "}).tax_pin == "P051234567Z"


def test_what_would_harm_people_is_encrypted_and_bound_to_its_row() -> None:
    case = make_case()
    person = case.people.get()
    assert open_account(case) == "521234"
    assert (open_identity(person).id_number, open_identity(person).born_on) == ("24567891", date(1988, 5, 17))
    stored = str(all_rows())
    assert "24567891" not in stored
    assert "521234" not in stored
    assert "1988" not in stored
    other = save_person(case=case, details=person_details(name="Otieno", share_percent=None))
    KycPerson.objects.filter(pk=other.pk).update(identity=person.identity)
    with pytest.raises(Exception, match="belongs elsewhere"):
        open_identity(KycPerson.objects.get(pk=other.pk))


def test_each_step_is_written_to_the_owners_by_the_worker(virtual_clock: Any) -> None:
    case, reviewer = ready()
    with acting(reviewer):
        ask_for_more(case=case, text="The certificate is cut off.")
    assert mail.outbox == []
    assert (send_letters(), send_letters()) == (2, 0)
    owner = case.merchant.memberships.get().user
    assert [message.to for message in mail.outbox] == [[owner.email]] * 2
    assert "The certificate is cut off." in mail.outbox[1].body
    assert case.public_id in mail.outbox[1].body


def test_an_approved_business_is_asked_again_when_its_day_comes(virtual_clock: Any) -> None:
    case, reviewer = ready()
    with acting(reviewer):
        approve(case=case)
    virtual_clock.advance(timedelta(days=364))
    assert mark_due() == 0
    virtual_clock.advance(timedelta(days=1))
    assert (mark_due(), mark_due()) == (1, 0)
    found = standing(Merchant.objects.get(pk=case.merchant_id))
    assert (found.state, found.is_editable, found.has_live_keys) == ("reverification_due", True, True)
    assert submit(case=case).state == "submitted"


def listed(path: Path, row: str) -> Any:
    path.write_text(f"name,aliases,birth_date,country,list,id\n{row}\n", encoding="utf-8")
    return override_settings(MAJUU_SANCTIONS_FILES=[path])


def test_a_resemblance_bars_approval_until_it_is_cleared(tmp_path: Path) -> None:
    with listed(tmp_path / "un.csv", "Nobody;,Kamau Wanjiroo,1988-05-17,KE,UN,KEi.001"):
        case, reviewer = ready()
    hit = KycHit.objects.get()
    assert (hit.list_code, hit.entry_id, hit.person, case.risk) == ("UN", "KEi.001", case.people.get(), "high")
    refused(ActionRefused, "kyc_hit_open", reviewer, approve, case=case)
    refused(Invalid, "reason_required", reviewer, judge_hit, hit=hit, is_same=False, reason=" ")
    with acting(reviewer):
        judge_hit(hit=hit, is_same=True, reason="The same day of birth.")
    refused(ActionRefused, "kyc_hit_confirmed", reviewer, approve, case=case)
    with acting(reviewer):
        judge_hit(hit=hit, is_same=False, reason="Another identity number.")
        assert approve(case=case).state == "second_review"


def test_a_confirmed_resemblance_suspends_an_approved_business(tmp_path: Path, virtual_clock: Any) -> None:
    case, reviewer = ready()
    with acting(reviewer):
        approve(case=case)
    virtual_clock.advance(timedelta(days=1))
    with listed(tmp_path / "un.csv", "Wanjiru Kamau,,1988,KE,UN,KEi.001"):
        assert rescreen() == 1
        assert rescreen() == 0
    with acting(reviewer):
        judge_hit(hit=KycHit.objects.get(), is_same=True, reason="It is her.")
    assert Merchant.objects.get(pk=case.merchant_id).status == "suspended"


def test_a_list_that_cannot_be_read_bars_approval_and_is_tried_again(tmp_path: Path) -> None:
    with override_settings(MAJUU_SANCTIONS_FILES=[tmp_path / "gone.csv"]):
        case, reviewer = ready()
    assert case.screened_at is None
    refused(ActionRefused, "kyc_not_screened", reviewer, approve, case=case)
    assert rescreen() == 1
    with acting(reviewer):
        assert approve(case=case).state == "approved"


def test_every_move_of_the_table_is_in_the_page_and_no_other() -> None:
    rows = {
        tuple(cell.strip(" `") for cell in line.strip("|").split("|")[:3])
        for line in PAGE.read_text().splitlines()
        if line.startswith("| `")
    }
    assert rows == {(before, after, mover.value) for (before, after), mover in TRANSITIONS.items()}
    assert set(TRANSITIONS.values()) == set(Mover)


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="needs rows that can be locked")
def test_two_reviewers_who_approve_at_once_approve_once() -> None:
    case, first = ready()
    second = make_reviewer()
    barrier = threading.Barrier(2)

    def work(user: Any) -> None:
        try:
            with acting(user):
                barrier.wait()
                approve(case=case)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=[user]) for user in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert KycDecision.objects.filter(case=case, kind="approved").count() == 1
    assert LiveApproval.objects.filter(merchant=case.merchant).count() == 1
    assert KycLetter.objects.filter(case=case, subject__startswith="Your business is approved").count() == 1


def test_a_merchant_without_a_case_has_not_begun() -> None:
    found = standing(make_merchant(approved=False))
    assert (found.state, found.case, found.has_live_keys) == ("not_begun", None, False)
