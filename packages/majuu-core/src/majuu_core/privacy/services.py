"""Exporting and erasing what is known about one person.

Erasing takes out what is personal and leaves the rows: amounts, states and books stay as they are. What the law or an
open matter obliges us to keep stays whole, and the report says what, why and until when.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from majuu_core.audit.models import AuditEntry
from majuu_core.audit.personal import count_keys, destroy_keys, email_subject, phone_subject, user_subject
from majuu_core.audit.services import record_entry
from majuu_core.common import clock
from majuu_core.common.problems import Conflict
from majuu_core.plugins.manager import registries
from majuu_core.plugins.personal_data import Identity, PersonalData, PersonalRecord
from majuu_core.privacy.holds import holds_on
from majuu_core.privacy.identities import identify

FORMAT = "majuu-person-1"
MOST_HOLDS_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One record, and whether it can be erased now. ``kept`` says why not, "" when it can."""

    source: str
    record: PersonalRecord
    kept: str = ""
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """All that is known about a person. While there are ``holds``, nothing of it may be erased."""

    identity: Identity
    verdicts: tuple[Verdict, ...]
    holds: tuple[str, ...]
    audit_keys: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """What was erased (how many rows, by source), what was kept, and how many keys of the audit trail are gone."""

    erased: dict[str, int]
    kept: tuple[Verdict, ...]
    audit_keys: int
    at: datetime


def look_up(person: str) -> Dossier:
    """What is known about the person that this address, number or id belongs to. Raises Invalid."""
    identity = identify(person)
    found: list[tuple[str, PersonalRecord]] = []
    for source in _sources():
        known = frozenset(record.id for _, record in found)
        found += [(source.name, record) for record in source.find(identity, known)]
    holds = [f"{hold.public_id}: {hold.reason}" for hold in holds_on(identity)]
    holds += sorted({record.hold for _, record in found if record.hold})
    verdicts = _judge(found)
    keys = count_keys(_subjects(identity, verdicts))
    return Dossier(identity=identity, verdicts=tuple(verdicts), holds=tuple(holds), audit_keys=keys)


def _sources() -> list[PersonalData]:
    """Core's first, in whatever order the apps are listed: others' rows belong to payments, not the reverse."""
    found = list(registries().personal_data.values())
    return sorted(found, key=lambda source: not source.find.__module__.startswith("majuu_core."))


def _judge(found: list[tuple[str, PersonalRecord]]) -> list[Verdict]:
    judged: dict[str, Verdict] = {}
    for source, record in found:
        leader = judged.get(record.follows)
        reason, until = _why(record)
        if not reason and leader is not None and leader.kept:
            reason, until = leader.kept, leader.until
        judged[record.id] = Verdict(source=source, record=record, kept=reason, until=until)
    return list(judged.values())


def _why(record: PersonalRecord) -> tuple[str, datetime | None]:
    if record.hold:
        return record.hold, None
    if record.keep_until is not None and record.keep_until <= clock.now():
        return "", None
    return record.keep_reason or ("It is kept." if record.keep_until else ""), record.keep_until


def _subjects(identity: Identity, verdicts: Iterable[Verdict], *, erasable: bool = False) -> set[str]:
    """Under which names the audit trail may know the person: with ``erasable``, only what may go."""
    rows = list(verdicts)
    kept = {verdict.record.id for verdict in rows if verdict.kept}
    names = {verdict.record.id for verdict in rows} | {user_subject(number) for number in identity.user_ids}
    if not erasable or not kept:
        names |= {email_subject(address) for address in identity.emails}
        names |= {phone_subject(number) for number in identity.phones}
    return names - kept if erasable else names


def export_person(person: str) -> dict[str, Any]:
    """Everything, as JSON can hold it, with the audit entries that speak of the person. The export is audited."""
    dossier = look_up(person)
    document = {
        "format": FORMAT,
        "made_at": clock.now().isoformat(),
        "known_by": {
            "emails": sorted(dossier.identity.emails),
            "phones": sorted(dossier.identity.phones),
            "accounts": sorted(dossier.identity.user_ids),
            "customers": sorted(dossier.identity.customer_ids),
        },
        "holds": list(dossier.holds),
        "records": [_shown(verdict) for verdict in dossier.verdicts],
        "audit": _audit_of(dossier),
    }
    changes = {"records": len(dossier.verdicts), "person": person}
    record_entry(action="person.exported", object_id=_object_id(dossier), changes=changes, subject=_about(dossier))
    return document


def _shown(verdict: Verdict) -> dict[str, Any]:
    record = verdict.record
    return {
        "id": record.id,
        "kind": record.kind,
        "source": verdict.source,
        **({"kept_because": verdict.kept} if verdict.kept else {}),
        **({"kept_until": verdict.until.isoformat()} if verdict.until else {}),
        "data": dict(record.data),
    }


def _audit_of(dossier: Dossier) -> list[dict[str, Any]]:
    names = [verdict.record.id for verdict in dossier.verdicts]
    own = AuditEntry.objects.filter(actor_type="user", actor_id__in=sorted(dossier.identity.user_ids))
    about = AuditEntry.objects.filter(object_id__in=names)
    rows = (own | about).order_by("pk")
    fields = ("created_at", "action", "object_id")
    return [{**row, "created_at": row["created_at"].isoformat()} for row in rows.values(*fields)]


def erase_person(person: str) -> Erasure:
    """Erase what may be erased, in one transaction. Safe to repeat.

    Raises Conflict (``person_on_hold``) while a hold stands, with nothing changed; Invalid for no person at all.
    """
    with transaction.atomic():
        dossier = look_up(person)
        if dossier.holds:
            text = "Nothing was erased: " + " ".join(dossier.holds[:MOST_HOLDS_NAMED])
            raise Conflict("person_on_hold", text, field="person")
        sources = registries().personal_data
        erased = {name: _erase(sources[name], dossier) for name in dict.fromkeys(v.source for v in dossier.verdicts)}
        keys = destroy_keys(_subjects(dossier.identity, dossier.verdicts, erasable=True))
        kept = tuple(verdict for verdict in dossier.verdicts if verdict.kept)
        changes = {"erased": erased, "kept": len(kept), "audit_keys": keys}
        record_entry(action="person.erased", object_id=_object_id(dossier), changes=changes)
    return Erasure(
        erased={name: count for name, count in erased.items() if count}, kept=kept, audit_keys=keys, at=clock.now()
    )


def _erase(source: PersonalData, dossier: Dossier) -> int:
    names = [v.record.id for v in dossier.verdicts if v.source == source.name and not v.kept]
    return source.erase(names) if names else 0


def _object_id(dossier: Dossier) -> str:
    """What an entry is about, without naming the person: their account, their customer, or a payment."""
    found = [verdict.record.id for verdict in dossier.verdicts]
    return found[0][:64] if found else "person"


def _about(dossier: Dossier) -> str:
    return _object_id(dossier) if dossier.verdicts else "person"
