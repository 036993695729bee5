"""What a case needs: before it can be submitted, and before it can be approved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from majuu_core.merchants.kyc_models import KycCase, KycDocument, KycPerson

_Form, _Kind, _State = KycCase.LegalForm, KycDocument.Kind, KycDocument.State
# Forms whose owners are not told by the registration alone.
_WITH_OWNERS = frozenset({_Form.PARTNERSHIP, _Form.PRIVATE_COMPANY, _Form.PUBLIC_COMPANY, _Form.FOREIGN_COMPANY})
_WITHOUT_OWNERS = frozenset({_Form.COOPERATIVE, _Form.NON_PROFIT, _Form.PUBLIC_BODY, _Form.PUBLIC_COMPANY})

_REQUIRED = {
    "legal_form": "Say what form the business has.",
    "registered_name": "Enter the registered name.",
    "registration_number": "Enter the registration number.",
    "tax_pin": "Enter the KRA PIN, or the tax number of another country.",
    "address": "Enter the address.",
    "city": "Enter the town.",
    "description": "Describe what is sold.",
    "settlement_kind": "Say where the money goes: a bank account, a till or a paybill.",
    "settlement_name": "Say whose account the money goes to.",
    "settlement_account": "Enter the number of the account, till or paybill.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing that a case needs. ``field`` names it for forms; ``text`` says what to do while it is not done."""

    field: str
    text: str
    is_done: bool


def items(case: KycCase, *, accepted_only: bool = False) -> list[Item]:
    """Everything this case needs. With ``accepted_only`` a document counts once a reviewer has accepted it."""
    people = list(case.people.filter(removed_at=None).order_by("pk"))
    states = (_State.ACCEPTED,) if accepted_only else (_State.UPLOADED, _State.ACCEPTED)
    documents = list(case.documents.filter(state__in=states))
    return [
        *_fields(case),
        *_people(case, people),
        *_documents(case, people, documents, "Accept" if accepted_only else "Upload"),
    ]


def missing(case: KycCase, *, accepted_only: bool = False) -> list[Item]:
    """The items that are not done."""
    return [item for item in items(case, accepted_only=accepted_only) if not item.is_done]


def _fields(case: KycCase) -> Iterator[Item]:
    for name, text in _REQUIRED.items():
        yield Item(field=name, text=text, is_done=bool(getattr(case, name)))
    if case.settlement_kind == KycCase.Settlement.BANK:
        yield Item(field="settlement_bank", text="Name the bank and its branch.", is_done=bool(case.settlement_bank))


def _people(case: KycCase, people: Iterable[KycPerson]) -> Iterator[Item]:
    is_led = any(person.is_director or person.is_owner for person in people)
    yield Item(field="people", text="Name at least one director or owner.", is_done=is_led)
    if case.legal_form and case.legal_form not in _WITHOUT_OWNERS:
        is_owned = any(person.is_owner for person in people)
        yield Item(field="people", text="Name the owners.", is_done=is_owned)


def _documents(case: KycCase, people: Iterable[KycPerson], documents: list[KycDocument], verb: str) -> Iterator[Item]:
    kinds = {document.kind for document in documents}
    wanted = [_Kind.REGISTRATION, _Kind.TAX_PIN, _Kind.SETTLEMENT]
    if case.legal_form in _WITH_OWNERS:
        wanted.append(_Kind.OWNERSHIP)
    for kind in wanted:
        yield Item(field=f"documents.{kind.value}", text=f"{verb}: {kind.label}.", is_done=kind in kinds)
    shown = {document.person_id for document in documents if document.kind == _Kind.IDENTITY}
    for person in people:
        text = f"{verb} the identity document of {person.name}."
        yield Item(field="documents.identity", text=text, is_done=person.pk in shown)
