"""The verification of a business, step by step. For owners: it holds what is personal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from majuu_core.common.problems import Problem
from majuu_core.dashboard.answers import add_problem, done, form_page, refused
from majuu_core.dashboard.kyc_forms import AccountForm, BusinessForm, DocumentForm, PersonForm
from majuu_core.dashboard.place import Place, member_page
from majuu_core.merchants.access import Action
from majuu_core.merchants.kyc.cases import open_case, remove_person, save_business, save_person, submit
from majuu_core.merchants.kyc.configuration import largest_document
from majuu_core.merchants.kyc.documents import add_document, remove_document
from majuu_core.merchants.kyc.sealing import masked, open_account, open_identity
from majuu_core.merchants.kyc.standing import standing
from majuu_core.merchants.models import KycCase, KycDecision, KycDocument, KycPerson

_Kind = KycDecision.Kind
# Of what was done to a case, what the business is shown. Remarks of staff are not.
_SHOWN = (
    *(_Kind.SUBMITTED, _Kind.ASKED_FOR_MORE, _Kind.APPROVED, _Kind.REJECTED, _Kind.REOPENED, _Kind.REVIEW_DUE),
    *(_Kind.DOCUMENT_REFUSED,),
)
_STEPS = (
    ("kyc_business", "Business"),
    ("kyc_people", "People"),
    ("kyc_account", "Bank or till"),
    ("kyc_documents", "Documents"),
    ("kyc", "Review and submit"),
)


@member_page(Action.KYC)
def kyc(request: HttpRequest, place: Place) -> HttpResponse:
    """Where the case stands: what is missing, what was said, what was done when."""
    where = standing(place.merchant)
    case = where.case
    context = {
        **_steps(place),
        "standing": where,
        "missing": [item for item in where.items if not item.is_done],
        "history": list(case.decisions.filter(kind__in=_SHOWN).order_by("-pk")) if case else [],
    }
    return render(request, "majuu_dashboard/kyc.html", context)


@member_page(Action.KYC, methods=("POST",))
def kyc_act(request: HttpRequest, place: Place, what: str) -> HttpResponse:
    """Begin or reopen the case, or hand it in."""
    acts: dict[str, tuple[Callable[[], object], str, str]] = {
        "open": (lambda: open_case(merchant=place.merchant), "You can fill in the details now.", "kyc_business"),
        "submit": (lambda: submit(case=_case(place)), "Submitted. We write to you when it is decided.", "kyc"),
    }
    if what not in acts:
        raise Http404
    act, text, then = acts[what]
    try:
        act()
    except Problem as problem:
        return refused(request, problem, place.url("kyc"))
    return done(request, text, place.url(then))


@member_page(Action.KYC, methods=("GET", "POST"))
def kyc_business(request: HttpRequest, place: Place) -> HttpResponse:
    """What the business is."""
    case = _case(place)
    form = BusinessForm(request.POST or None, initial={name: getattr(case, name) for name in BusinessForm.base_fields})
    if request.method == "POST" and form.is_valid():
        try:
            save_business(case=case, values=form.cleaned_data)
            return done(request, "Saved.", place.url("kyc_people"))
        except Problem as problem:
            add_problem(form, problem)
    return _step_form(request, place, form, title="Your business", button="Save and go on")


@sensitive_post_parameters("settlement_account")
@member_page(Action.KYC, methods=("GET", "POST"), fresh_post=True)
def kyc_account(request: HttpRequest, place: Place) -> HttpResponse:
    """Where the money goes. The number that is kept is never shown whole."""
    case = _case(place)
    names = ("settlement_kind", "settlement_name", "settlement_bank")
    form = AccountForm(request.POST or None, initial={name: getattr(case, name) for name in names})
    if case.settlement_account:
        kept = masked(open_account(case))
        form.fields["settlement_account"].help_text = f"Kept: {kept}. Leave empty to keep it."
    if request.method == "POST" and form.is_valid():
        values = dict(form.cleaned_data)
        if not values["settlement_account"]:
            del values["settlement_account"]
        try:
            save_business(case=case, values=values)
            return done(request, "Saved.", place.url("kyc_documents"))
        except Problem as problem:
            add_problem(form, problem)
    return _step_form(request, place, form, title="Where your money goes", button="Save and go on")


@member_page(Action.KYC)
def kyc_people(request: HttpRequest, place: Place) -> HttpResponse:
    """Directors, owners and signatories."""
    people = list(_case(place).people.filter(removed_at=None).order_by("pk"))
    context = {**_steps(place), "people": people, "standing": standing(place.merchant)}
    return render(request, "majuu_dashboard/kyc_people.html", context)


@sensitive_post_parameters("id_number", "born_on")
@member_page(Action.KYC, methods=("GET", "POST"))
def kyc_person(request: HttpRequest, place: Place, person_id: str = "") -> HttpResponse:
    """Add somebody, or change what is said of them."""
    person = _person(place, person_id) if person_id else None
    case = _case(place)
    form = PersonForm(request.POST or None, initial=_known(person))
    if request.method == "POST" and form.is_valid():
        try:
            save_person(case=case, details=form.details(), person=person)
            return done(request, "Saved.", place.url("kyc_people"))
        except Problem as problem:
            add_problem(form, problem)
    title = person.name if person else "Add a person"
    return _step_form(request, place, form, title=title, button="Save", back=place.url("kyc_people"))


@member_page(Action.KYC, methods=("POST",))
def kyc_person_remove(request: HttpRequest, place: Place, person_id: str) -> HttpResponse:
    """Take somebody out."""
    try:
        remove_person(person=_person(place, person_id))
    except Problem as problem:
        return refused(request, problem, place.url("kyc_people"))
    return done(request, "Taken out.", place.url("kyc_people"))


@member_page(Action.KYC, methods=("GET", "POST"))
def kyc_documents(request: HttpRequest, place: Place) -> HttpResponseBase:
    """The files, and one more."""
    case = _case(place)
    people = list(case.people.filter(removed_at=None).order_by("pk"))
    form = DocumentForm(request.POST or None, request.FILES or None, people=people)
    if request.method == "POST" and form.is_valid():
        try:
            _add(case, form, people)
            return done(request, "Uploaded.", place.url("kyc_documents"))
        except Problem as problem:
            add_problem(form, problem)
    documents = case.documents.exclude(state=KycDocument.State.WITHDRAWN).select_related("person").order_by("pk")
    where = standing(place.merchant)
    context = {
        **_steps(place),
        "form": form,
        "documents": list(documents),
        "standing": where,
        "missing": [item for item in where.items if not item.is_done and item.field.startswith("documents.")],
    }
    return render(request, "majuu_dashboard/kyc_documents.html", context, status=422 if form.errors else 200)


@member_page(Action.KYC, methods=("POST",))
def kyc_document_remove(request: HttpRequest, place: Place, document_id: str) -> HttpResponse:
    """Take a file back."""
    try:
        remove_document(document=place.get(KycDocument.objects.all(), document_id, path="case__merchant"))
    except Problem as problem:
        return refused(request, problem, place.url("kyc_documents"))
    return done(request, "Removed.", place.url("kyc_documents"))


@sensitive_variables("content")
def _add(case: KycCase, form: DocumentForm, people: list[KycPerson]) -> None:
    given = form.cleaned_data
    owner = next((person for person in people if person.public_id == given["person"]), None)
    content = given["file"].read(largest_document() + 1)
    add_document(case=case, kind=given["kind"], name=given["file"].name, content=content, person=owner)


def _case(place: Place) -> KycCase:
    case = KycCase.objects.select_related("merchant").filter(merchant=place.merchant).first()
    return case or open_case(merchant=place.merchant)


def _person(place: Place, person_id: str) -> KycPerson:
    return place.get(KycPerson.objects.filter(removed_at=None), person_id, path="case__merchant")


def _known(person: KycPerson | None) -> dict[str, Any]:
    if person is None:
        return {}
    identity = open_identity(person)
    plain = ("name", "nationality", "id_kind", "is_director", "is_owner", "is_signatory", "share_percent")
    return {name: getattr(person, name) for name in plain} | {
        "born_on": identity.born_on,
        "id_number": identity.id_number,
    }


def _steps(place: Place) -> dict[str, Any]:
    steps = [
        {"label": label, "url": place.url(name), "is_here": place.page in (name, name.replace("people", "person"))}
        for name, label in _STEPS
    ]
    return {"place": place, "steps": steps}


def _step_form(
    request: HttpRequest, place: Place, form: Any, *, title: str, button: str, back: str = ""
) -> HttpResponse:
    where = standing(place.merchant)
    return form_page(
        request, place, form, title=title, button=button, back=back, steps=_steps(place)["steps"], standing=where
    )
