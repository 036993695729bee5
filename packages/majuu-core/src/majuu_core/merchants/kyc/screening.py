"""Comparing the names of a case with sanctions lists: when it is submitted, and again and again afterwards.

What resembles becomes a KycHit. A reviewer clears or confirms each, with a reason; nothing is approved before.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import transaction
from django.db.models import F, Q

from majuu_core.common import clock
from majuu_core.common.storable import storable
from majuu_core.merchants.errors import ActionRefused
from majuu_core.merchants.kyc.configuration import screening_days
from majuu_core.merchants.kyc.sealing import open_identity
from majuu_core.merchants.kyc.steps import checked_reason, lock_case, note_step, reviewing_user, set_values
from majuu_core.merchants.kyc_models import KycCase, KycDecision, KycHit, KycPerson
from majuu_core.merchants.people import acting_person
from majuu_core.merchants.services import suspend_merchant
from majuu_core.plugins.contributions import ListedName
from majuu_core.plugins.manager import collect

logger = logging.getLogger("majuu.kyc")

# Nobody is compared before the business has said that it is complete, nor after it was refused.
SCREENED_STATES = frozenset(KycCase.State.values) - {KycCase.State.DRAFT, KycCase.State.REJECTED}
_MOST = 200
_State, _Kind = KycHit.State, KycDecision.Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One name of a case. ``person`` is None for the business itself."""

    name: str
    born_on: date | None
    country: str
    person: KycPerson | None


def screen_case(case: KycCase) -> int:
    """Compare all names of a case. Returns how many new hits there are. Safe to repeat. Should a name change while it
    is compared, nothing is kept and the case counts as not compared.

    Raises SanctionsUnreadable, and whatever a plugin's service raises: the case then counts as not compared.
    """
    found: dict[str, KycHit] = {}
    subjects = list(_subjects(case))
    for subject in subjects:
        # No transaction is open: a plugin may ask a service.
        listed = collect("screen_person", name=subject.name, born_on=subject.born_on, country=subject.country)
        for item in listed:
            hit = _hit(case, subject, item)
            found.setdefault(hit.fingerprint, hit)
    with transaction.atomic():
        row = lock_case(case)
        if list(_subjects(row)) != subjects:
            # Names were changed meanwhile. What was compared says nothing of those the case has now.
            set_values(row, screened_at=None)
            return 0
        return _keep(row, found)


def try_to_screen(case: KycCase) -> bool:
    """Compare a case; False when it cannot be done now, which is logged and tried again by the worker."""
    try:
        screen_case(case)
    except Exception:  # a list, or the service of a plugin, fails in ways of its own
        logger.exception("%s could not be compared with the sanctions lists", case.public_id)
        return False
    return True


def rescreen() -> int:
    """Compare cases whose turn it is (MAJUU_KYC_SCREENING_DAYS), those never compared first. Returns how many."""
    before = clock.now() - timedelta(days=screening_days())
    due = KycCase.objects.filter(Q(screened_at=None) | Q(screened_at__lte=before), state__in=SCREENED_STATES)
    cases = due.select_related("merchant").order_by(F("screened_at").asc(nulls_first=True), "pk")[:_MOST]
    return sum(try_to_screen(case) for case in cases)


def judge_hit(*, hit: KycHit, is_same: bool, reason: str) -> KycHit:
    """Clear or confirm a resemblance, with a reason. A confirmed one bars approval, and suspends an approved business.

    Raises Denied, Conflict, Invalid.
    """
    why = checked_reason(reason)
    wanted = _State.CONFIRMED if is_same else _State.CLEARED
    with transaction.atomic():
        case = lock_case(hit.case)
        reviewing_user(case)
        row = KycHit.objects.get(pk=hit.pk)
        if row.state == wanted:
            return row
        row.state, row.reason = wanted, why
        row.decided_by, row.decided_at = acting_person()[:80], clock.now()
        row.save(update_fields=["state", "reason", "decided_by", "decided_at"])
        kind = _Kind.HIT_CONFIRMED if is_same else _Kind.HIT_CLEARED
        note_step(case, kind, reason=why, subject=row.public_id)
        if is_same and case.merchant.status == case.merchant.Status.APPROVED:
            suspend_merchant(merchant=case.merchant, reason=f"On a sanctions list: {case.public_id}")
    return row


def check_screened(case: KycCase) -> None:
    """Raises ActionRefused while the case was not compared, or a resemblance is open or confirmed."""
    if case.screened_at is None:
        message = "The names are not compared with the sanctions lists yet. The worker does that within the hour."
        raise ActionRefused("kyc_not_screened", message)
    states = set(case.hits.values_list("state", flat=True))
    if _State.CONFIRMED in states:
        raise ActionRefused("kyc_hit_confirmed", "Somebody in this case is on a sanctions list: it cannot be approved.")
    if _State.OPEN in states:
        raise ActionRefused("kyc_hit_open", "Clear or confirm every resemblance to a sanctions list first.")


def _subjects(case: KycCase) -> Iterable[Subject]:
    country = case.country.code
    for name in dict.fromkeys((case.registered_name, case.merchant.name, case.settlement_name)):
        if name:
            yield Subject(name=name, born_on=None, country=country, person=None)
    for person in case.people.filter(removed_at=None).order_by("pk"):
        born_on = open_identity(person).born_on
        yield Subject(name=person.name, born_on=born_on, country=person.nationality.code, person=person)


def _hit(case: KycCase, subject: Subject, item: ListedName) -> KycHit:
    who = subject.person.public_id if subject.person is not None else "business"
    # Another entry, name or birth date is another question, whatever was answered before.
    parts = (who, subject.name, str(subject.born_on), item.list_code, item.entry_id, item.name, item.details)
    return KycHit(
        case=case,
        person=subject.person,
        list_code=storable(item.list_code, 64),
        entry_id=storable(item.entry_id, 128),
        entry_name=storable(item.name, 300),
        entry_details=storable(item.details, 300),
        matched_name=storable(subject.name, 300),
        score=item.score,
        explanation=storable(item.explanation, 500),
        fingerprint=hashlib.sha256("\0".join(parts).encode()).hexdigest(),
    )


def _keep(case: KycCase, found: dict[str, KycHit]) -> int:
    known = set(case.hits.values_list("fingerprint", flat=True))
    new = [hit for fingerprint, hit in found.items() if fingerprint not in known]
    KycHit.objects.bulk_create(new)
    # What nobody had answered and is no question any more: the person left, the name or the list was corrected.
    gone = case.hits.filter(state=_State.OPEN).exclude(fingerprint__in=found)
    gone.update(state=_State.CLEARED, decided_by="system", decided_at=clock.now(), reason="No longer resembles.")
    if new or case.screened_at is None:
        note_step(case, _Kind.SCREENED, reason=_summary(len(new)))
    set_values(case, screened_at=clock.now())
    if new and case.risk != KycCase.Risk.HIGH:
        _raise_risk(case)
    return len(new)


def _raise_risk(case: KycCase) -> None:
    before = case.risk
    set_values(case, risk=KycCase.Risk.HIGH)
    note_step(
        case,
        _Kind.RISK_SET,
        reason="A name resembles one on a sanctions list.",
        from_state=before,
        to_state=KycCase.Risk.HIGH,
    )


def _summary(new: int) -> str:
    return "No new resemblance." if not new else f"{new} new resemblance{'s' if new > 1 else ''} to look at."
