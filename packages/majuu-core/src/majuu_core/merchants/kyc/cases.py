"""What a business does with its case: fill it in and submit it. Who may act for a business is the caller's to know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Sum
from django.views.decorators.debug import sensitive_variables

from majuu_core.common import clock
from majuu_core.merchants.errors import ActionRefused, InvalidInput
from majuu_core.merchants.kyc import checklist, formats, letters, screening
from majuu_core.merchants.kyc.sealing import Identity, open_account, open_identity, seal_account, seal_identity
from majuu_core.merchants.kyc.steps import lock_case, move, record_case_entry
from majuu_core.merchants.kyc.transitions import Mover, check_editable
from majuu_core.merchants.kyc_models import KycCase, KycDecision, KycPerson
from majuu_core.merchants.models import Merchant
from majuu_core.merchants.saving import insert_row, update_row
from majuu_core.providers.types import Violation

BUSINESS_FIELDS = frozenset(
    {
        "legal_form",
        "registered_name",
        "registration_number",
        "tax_pin",
        "vat_number",
        "address",
        "city",
        "postal_code",
        "country",
        "website",
        "description",
        "settlement_kind",
        "settlement_bank",
        "settlement_name",
        "settlement_account",
    }
)
MOST_PEOPLE = 50
_State = KycCase.State


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonDetails:
    """Somebody behind a business, as they are entered. ``share_percent`` is of an owner."""

    name: str
    nationality: str
    id_kind: str
    id_number: str = field(repr=False)
    born_on: date = field(repr=False)
    is_director: bool = False
    is_owner: bool = False
    is_signatory: bool = False
    share_percent: Decimal | None = None


def open_case(*, merchant: Merchant) -> KycCase:
    """The case of a business; a new draft when it has none, and a rejected one is opened again.

    Raises ActionRefused for the platform's own business.
    """
    if merchant.is_system:
        raise ActionRefused("merchant_is_system", "The platform's own business is not reviewed.")
    with transaction.atomic():
        Merchant.objects.select_for_update().get(pk=merchant.pk)
        case, is_new = KycCase.objects.get_or_create(
            merchant=merchant, defaults={"country": merchant.country, "registered_name": merchant.name}
        )
        if is_new:
            record_case_entry(case, "opened", {})
        elif case.state == _State.REJECTED:
            case = lock_case(case)
            move(case, _State.DRAFT, Mover.MERCHANT, KycDecision.Kind.REOPENED, first_approver="")
    return case


@sensitive_variables("values")
def save_business(*, case: KycCase, values: Mapping[str, Any]) -> KycCase:
    """Keep what is given of BUSINESS_FIELDS; the rest stays. What is missing is found when the case is submitted.

    ``settlement_account`` is encrypted. Raises InvalidInput, ActionRefused (``kyc_not_editable``); a name that is none
    of them is a TypeError.
    """
    if foreign := values.keys() - BUSINESS_FIELDS:
        raise TypeError(f"a case's {', '.join(sorted(foreign))} cannot be set here")
    with transaction.atomic():
        row = lock_case(case)
        check_editable(row)
        wanted = formats.checked_business(
            values,
            country=str(values.get("country", row.country.code)),
            settlement_kind=str(values.get("settlement_kind", row.settlement_kind)),
        )
        account = wanted.pop("settlement_account", None)
        if account is not None and account != open_account(row):
            wanted["settlement_account"] = seal_account(row, account)
        changes = update_row(row, wanted)
        if changes:
            if "settlement_account" in changes:
                changes["settlement_account"] = ["(encrypted)", "(encrypted)"]
            row.updated_at = clock.now()
            row.save(update_fields=["updated_at"])
            record_case_entry(row, "updated", changes)
    return row


@sensitive_variables("details")
def save_person(*, case: KycCase, details: PersonDetails, person: KycPerson | None = None) -> KycPerson:
    """Add somebody, or change ``person``. Raises InvalidInput, ActionRefused (``kyc_not_editable``)."""
    formats.check_person(details)
    with transaction.atomic():
        row = lock_case(case)
        check_editable(row)
        before = None if person is None else _current_person(row, person)
        others = row.people.filter(removed_at=None)
        if before is not None:
            others = others.exclude(pk=before.pk)
        _check_others(others.count(), others.aggregate(total=Sum("share_percent"))["total"], details)
        return _write_person(row, before, details)


def remove_person(*, person: KycPerson) -> None:
    """Take somebody out of the case. What was submitted once is kept, marked as removed.

    Raises ActionRefused (``kyc_not_editable``).
    """
    with transaction.atomic():
        case = lock_case(person.case)
        check_editable(case)
        row = KycPerson.objects.filter(pk=person.pk, removed_at=None).first()
        if row is None:
            return
        if case.submitted_at is None and not row.documents.exists():
            row.delete()
        else:
            row.removed_at = clock.now()
            row.save(update_fields=["removed_at"])
        record_case_entry(case, "person_removed", {"person": person.public_id})


def submit(*, case: KycCase) -> KycCase:
    """Hand the case in. Raises InvalidInput naming all that is missing, ActionRefused when it is with staff already.

    Submitting a case that waits already changes nothing. It is compared with the sanctions lists at once; should that
    fail, the worker does it later, and nobody can approve it before.
    """
    with transaction.atomic():
        row = lock_case(case)
        if row.state == _State.SUBMITTED:
            return row
        check_editable(row)
        _check_formats(row)
        if missing := checklist.missing(row):
            raise InvalidInput(
                *(Violation(code="kyc_incomplete", message=item.text, field=item.field) for item in missing)
            )
        move(
            row,
            _State.SUBMITTED,
            Mover.MERCHANT,
            KycDecision.Kind.SUBMITTED,
            submitted_at=clock.now(),
            screened_at=None,
            first_approver="",
            told="",
        )
        letters.write(row, "submitted")
    screening.try_to_screen(row)
    row.refresh_from_db()
    return row


def _check_formats(case: KycCase) -> None:
    # A country or a kind of account may have changed after the number was checked.
    formats.checked_business(
        {"tax_pin": case.tax_pin, "settlement_account": open_account(case)},
        country=case.country.code,
        settlement_kind=case.settlement_kind,
    )


def _current_person(case: KycCase, person: KycPerson) -> KycPerson:
    found = KycPerson.objects.filter(pk=person.pk, case=case, removed_at=None).first()
    if found is None:
        raise ActionRefused("kyc_person_removed", "This person is not in the case any more.")
    return found


def _check_others(count: int, shares: Decimal | None, details: PersonDetails) -> None:
    if count >= MOST_PEOPLE:
        raise ActionRefused("kyc_too_many_people", f"A case names at most {MOST_PEOPLE} people.")
    if (shares or Decimal(0)) + (details.share_percent or Decimal(0)) > 100:
        message = "The owners have more than 100 % together."
        raise InvalidInput(Violation(code="kyc_shares", message=message, field="share_percent"))


@sensitive_variables("details", "identity")
def _write_person(case: KycCase, before: KycPerson | None, details: PersonDetails) -> KycPerson:
    values = {
        "name": " ".join(details.name.split()),
        "nationality": details.nationality,
        "id_kind": details.id_kind,
        "is_director": details.is_director,
        "is_owner": details.is_owner,
        "is_signatory": details.is_signatory,
        "share_percent": details.share_percent,
    }
    identity = Identity(born_on=details.born_on, id_number=formats.plain_number(details.id_number))
    if before is None:
        person = KycPerson(case=case, **values)
        person.identity = seal_identity(person, identity)
        insert_row(person)
        record_case_entry(case, "person_added", {"person": person.public_id})
        return person
    if open_identity(before) != identity:
        values["identity"] = seal_identity(before, identity)
    changes = update_row(before, values)
    if changes:
        # Which fields, not what they hold: that is personal and stays in the encrypted row.
        record_case_entry(case, "person_updated", {"person": before.public_id, "fields": sorted(changes)})
    return before
