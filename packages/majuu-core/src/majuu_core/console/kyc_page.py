"""What the page of a KYC case shows besides its facts: the checklist, the people, resemblances, and the documents."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib.auth import get_user_model
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from majuu_core.common import clock
from majuu_core.common.crypto import DecryptionError
from majuu_core.console.base import PageAction
from majuu_core.console.people import names_of
from majuu_core.merchants.kyc.checklist import items
from majuu_core.merchants.kyc.sealing import masked, open_account, open_identity
from majuu_core.merchants.kyc.steps import REVIEW
from majuu_core.merchants.kyc.transitions import WAITING
from majuu_core.merchants.models import KycCase, KycDocument, KycHit, KycPerson

_State = KycCase.State
_MOST_STEPS = 200
_NOBODY = "(does not open)"
# Nothing in a document may load, run or be framed elsewhere. A browser shows no PDF in a sandbox, so only pictures and
# downloads have one; a PDF was refused when it holds anything but pages.
_PICTURE = "sandbox; default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'"
_PDF = "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'"


def case_context(request: HttpRequest, case: KycCase) -> dict[str, Any]:
    """Everything the template needs besides facts and actions."""
    may_review = request.user.has_perm(REVIEW)
    people = list(case.people.filter(removed_at=None).order_by("pk"))
    documents = list(case.documents.select_related("person").order_by("pk"))
    chosen = next((item for item in documents if item.public_id == request.GET.get("document")), None)
    if chosen is None and documents:
        chosen = next((item for item in documents if item.state == KycDocument.State.UPLOADED), documents[0])
    waits = case.state in WAITING
    return {
        "majuu_may_review": may_review,
        "majuu_may_judge": may_review and waits,
        "majuu_items": items(case, accepted_only=True),
        "majuu_people": [_person(person, may_review) for person in people],
        "majuu_account": _account(case, may_review),
        "majuu_documents": [_document(case, item, item is chosen) for item in documents] if may_review else [],
        "majuu_document_count": len(documents),
        "majuu_chosen": _document(case, chosen, True) if may_review and chosen is not None else None,
        "majuu_hits": [_hit(case, hit) for hit in case.hits.order_by("-pk")],
        "majuu_steps": _steps(case),
        "majuu_risks": KycCase.Risk.choices,
        "majuu_reviewers": _reviewers(case) if may_review and waits else [],
        "majuu_may_set_risk": may_review and case.state in (_State.SUBMITTED, _State.IN_REVIEW),
        "majuu_addresses": {name: action_address(case, name) for name in ("assign", "risk", "note", "more")},
        "majuu_may_ask": may_review and case.state == _State.IN_REVIEW,
    }


def case_actions(request: HttpRequest, case: KycCase) -> list[PageAction]:
    """The buttons of a reviewer, by the state of the case."""
    if not request.user.has_perm(REVIEW) or case.state not in WAITING:
        return []
    seen = f"?{urlencode({'seen': case.state})}"
    take = PageAction(
        label="Take this case",
        address=action_address(case, "take"),
        explanation="You look after it from now on, and it is in review.",
        icon="front_hand",
        is_quiet=case.state != _State.SUBMITTED,
    )
    if case.state == _State.SUBMITTED:
        return [take]
    second = case.state == _State.SECOND_REVIEW
    approve = PageAction(
        label="Approve as second reviewer" if second else "Approve",
        address=action_address(case, "approve") + seen,
        explanation="A second person has to agree: the risk is high."
        if case.risk == KycCase.Risk.HIGH and not second
        else "The business can have live keys, and is written to.",
        icon="verified",
    )
    reject = PageAction(
        label="Reject",
        address=action_address(case, "reject") + seen,
        explanation="The business is written this reason. One that was approved before is suspended.",
        icon="block",
        question="Why is it rejected?",
        is_quiet=True,
    )
    back = PageAction(
        label="Send back",
        address=action_address(case, "back"),
        explanation="To the first reviewer. The business is not told.",
        icon="undo",
        question="What has to be looked at again?",
        is_quiet=True,
    )
    mine = [] if case.assignee_id == request.user.pk or second else [take]
    return [approve, *([back] if second else []), reject, *mine]


def document_response(document: KycDocument, content: bytes, *, download: bool) -> HttpResponse:
    """The file as a browser may show or save it, never as anything but what it is."""
    suffix = {"application/pdf": "pdf", "image/png": "png", "image/jpeg": "jpg"}.get(document.content_type, "bin")
    answer = HttpResponse(content, content_type=document.content_type)
    way = "attachment" if download else "inline"
    answer.headers["Content-Disposition"] = f'{way}; filename="{document.public_id}.{suffix}"'
    answer.headers["X-Content-Type-Options"] = "nosniff"
    is_shown_pdf = document.content_type == "application/pdf" and not download
    answer.headers["Content-Security-Policy"] = _PDF if is_shown_pdf else _PICTURE
    answer.headers["X-Frame-Options"] = "SAMEORIGIN"
    answer.headers["Cache-Control"] = "no-store, private"
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return answer


def action_address(case: KycCase, name: str) -> str:
    """Where a form of this case's page leads."""
    return reverse(f"console:majuu_merchants_kyccase_{name}", args=[case.public_id])


def waiting_text(case: KycCase) -> str:
    """For how long a case has waited; "–" when nobody waits."""
    if case.state not in WAITING or case.submitted_at is None:
        return "–"
    age = clock.now() - case.submitted_at
    return f"{age.days} days" if age.days >= 2 else f"{int(age.total_seconds() // 3600)} hours"


def _person(person: KycPerson, may_review: bool) -> dict[str, Any]:
    try:
        identity = open_identity(person)
        number, born = identity.id_number, f"{identity.born_on:%d %B %Y}"
    except DecryptionError:
        number = born = _NOBODY
    return {
        "name": person.name,
        "roles": person.roles,
        "share": person.share_percent,
        "nationality": person.nationality.name,
        "id_kind": person.get_id_kind_display(),
        "id_number": number if may_review else masked(number),
        "born": born if may_review else "•••",
    }


def _account(case: KycCase, may_review: bool) -> str:
    try:
        number = open_account(case)
    except DecryptionError:
        return _NOBODY
    return number if may_review else masked(number)


def _document(case: KycCase, document: KycDocument, is_chosen: bool) -> dict[str, Any]:
    names = [case.public_id, document.public_id]
    address = reverse("console:majuu_merchants_kyccase_document", args=names)
    return {
        "row": document,
        "label": document.get_kind_display(),
        "is_chosen": is_chosen,
        "is_picture": document.content_type.startswith("image/"),
        "is_withdrawn": document.state == KycDocument.State.WITHDRAWN,
        "page": f"?{urlencode({'document': document.public_id})}#documents",
        "address": address,
        "download": f"{address}?download=1",
        "judge": reverse("console:majuu_merchants_kyccase_judge", args=names),
    }


def _hit(case: KycCase, hit: KycHit) -> dict[str, Any]:
    return {
        "row": hit,
        "is_open": hit.state == KycHit.State.OPEN,
        "address": reverse("console:majuu_merchants_kyccase_hit", args=[case.public_id, hit.public_id]),
    }


def _steps(case: KycCase) -> list[dict[str, Any]]:
    steps = list(case.decisions.order_by("-pk")[:_MOST_STEPS])
    names = names_of(step.actor for step in steps)
    return [{"row": step, "who": names.get(step.actor, step.actor)} for step in steps]


def _reviewers(case: KycCase) -> list[Any]:
    users = get_user_model()._default_manager.with_perm(REVIEW, backend="django.contrib.auth.backends.ModelBackend")
    return list(users.exclude(majuu_memberships__merchant=case.merchant_id).order_by("pk")[:100])
