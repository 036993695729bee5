"""The console pages of KYC: who sees what, what a decision needs, and what a refusal leaves alone."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from majuu_core.audit.models import AuditEntry
from majuu_core.console.kyc_page import action_address
from majuu_core.merchants.models import KycCase, KycDecision, Merchant
from majuu_core.merchants.services import add_member
from majuu_core.testing.factories import make_user
from majuu_core.testing.kyc import accept_documents, make_case, make_reviewer
from majuu_core.testing.people import sign_in

pytestmark = pytest.mark.django_db
LIST = "console:majuu_merchants_kyccase_changelist"


def signed_in(user: Any, *, fresh: bool = True) -> Client:
    client = Client()
    sign_in(client, user, fresh=fresh)
    return client


def page(case: KycCase) -> str:
    return reverse("console:majuu_merchants_kyccase_change", args=[case.public_id])


def document_address(case: KycCase) -> str:
    document = case.documents.order_by("pk").first()
    assert document is not None
    return reverse("console:majuu_merchants_kyccase_document", args=[case.public_id, document.public_id])


def support() -> Any:
    user = make_user(is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_kyccase"))
    return user


def test_a_reviewer_sees_numbers_and_documents_and_support_sees_neither() -> None:
    case = make_case(submitted=True)
    seen = signed_in(make_reviewer()).get(page(case)).content.decode()
    assert "24567891" in seen
    assert document_address(case) in seen
    assert AuditEntry.objects.filter(action="kyc_case.viewed").count() == 1
    hidden = signed_in(support()).get(page(case)).content.decode()
    assert "24567891" not in hidden
    assert "521234" not in hidden
    assert document_address(case) not in hidden
    assert "Only reviewers can see them" in hidden


def test_a_document_is_shown_with_headers_of_its_own_and_each_look_is_written_down() -> None:
    case = make_case(submitted=True)
    answer = signed_in(make_reviewer()).get(document_address(case))
    assert answer.content.startswith(b"%PDF-")
    assert answer.headers["Content-Disposition"].startswith('inline; filename="kyd_')
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    saved = signed_in(make_reviewer()).get(document_address(case), {"download": "1"})
    assert saved.headers["Content-Disposition"].startswith("attachment;")
    assert saved.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert AuditEntry.objects.filter(action="kyc_case.document_viewed").count() == 2


def test_nobody_else_gets_a_document() -> None:
    case, other = make_case(submitted=True), make_case()
    member = make_reviewer()
    add_member(merchant=case.merchant, user=member, role="viewer")
    for user in (support(), make_user(is_staff=True), member):
        assert signed_in(user).get(document_address(case)).status_code == 403
    assert signed_in(make_user()).get(document_address(case)).status_code in (302, 403)
    assert Client().get(document_address(case)).status_code == 302
    mixed = document_address(case).replace(case.public_id, other.public_id)
    assert signed_in(make_reviewer()).get(mixed).status_code == 404
    assert not AuditEntry.objects.filter(action="kyc_case.document_viewed").exists()


@pytest.mark.parametrize("name", ["approve", "reject", "back", "more"])
def test_a_decision_needs_a_fresh_second_factor(name: str) -> None:
    reviewer = make_reviewer()
    case = accept_documents(make_case(submitted=True), reviewer)
    decisions = KycDecision.objects.count()
    answer = signed_in(reviewer, fresh=False).post(action_address(case, name), {"reason": "No.", "text": "More."})
    assert (answer.status_code, answer.headers["Location"].partition("?")[0]) == (302, "/accounts/confirm/")
    case.refresh_from_db()
    assert (case.state, KycDecision.objects.count()) == ("in_review", decisions)


@pytest.mark.parametrize("name", ["take", "assign", "risk", "note", "approve", "reject", "back", "more"])
def test_whoever_may_only_look_decides_nothing(name: str) -> None:
    case = make_case(submitted=True)
    before = KycDecision.objects.count()
    values = {"reason": "No.", "text": "More.", "risk": "low", "assignee": "1"}
    assert signed_in(support()).post(action_address(case, name), values).status_code == 403
    case.refresh_from_db()
    assert (case.state, case.risk, KycDecision.objects.count()) == ("submitted", "normal", before)


def test_a_case_is_taken_its_documents_accepted_and_approved_by_buttons() -> None:
    case, reviewer = make_case(submitted=True), make_reviewer()
    client = signed_in(reviewer)
    client.post(action_address(case, "take"))
    for document in case.documents.all():
        judge = reverse("console:majuu_merchants_kyccase_judge", args=[case.public_id, document.public_id])
        client.post(judge, {"answer": "accept"})
    shown = client.get(page(case)).content.decode()
    assert "Approve" in shown
    client.post(action_address(case, "approve") + "?seen=in_review")
    case.refresh_from_db()
    assert (case.state, Merchant.objects.get(pk=case.merchant_id).status) == ("approved", "approved")


def test_the_queue_shows_the_longest_waiting_first_with_the_same_queries_for_1_and_20() -> None:
    client = signed_in(make_reviewer())
    first = make_case(submitted=True)
    counts = []
    for more in (0, 19):
        for _ in range(more):
            make_case(submitted=True)
        client.get(reverse(LIST), {"queue": "all"})
        with CaptureQueriesContext(connection) as queries:
            answer = client.get(reverse(LIST), {"queue": "all"})
        counts.append(len(queries))
    assert counts[0] == counts[1]
    rows = list(answer.context["cl"].result_list)
    assert (len(rows), rows[0]) == (20, first)


def test_the_groups_of_staff_have_fitting_permissions() -> None:
    call_command("majuu_groups", verbosity=0)
    call_command("majuu_groups", "--exact", verbosity=0)
    held = {group.name: set(group.permissions.values_list("codename", flat=True)) for group in Group.objects.all()}
    assert set(held) == {"support", "finance", "compliance"}
    assert "review_kyccase" in held["compliance"]
    assert "view_auditentry" in held["compliance"]
    assert not any("kyc" in name or "audit" in name for name in held["support"] | held["finance"])
    assert all(name.startswith("view_") for name in held["support"])
    assert "change_dispute" in held["finance"]
    assert not any(name.startswith(("delete_", "add_")) for names in held.values() for name in names)
