"""Taking anchors out of the database: to a file, by e-mail, into another database.

At least once: a worker that dies between sending and noting it sends again. Repeated anchors do no harm, a verifier
takes equal ones for one.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial

from django.core.mail import send_mail

from majuu_core.audit.anchors import anchor_line, latest_anchor, make_due_anchor
from majuu_core.audit.configuration import anchor_settings
from majuu_core.audit.models import AuditAnchor, AuditAnchorDelivery, AuditSeal
from majuu_core.common import clock, ids

_log = logging.getLogger("majuu.audit")
# A place that could not be reached for longer gets the newest ones only.
MOST_AT_ONCE = 100


def run_due_anchors() -> int:
    """Make the anchor that is due and take to each place what is missing there. Returns how much was done."""
    made = make_due_anchor()
    return (made is not None) + deliver_anchors()


def deliver_anchors() -> int:
    """Take to each configured place the anchors it lacks, oldest first. Returns how many arrived.

    A place that fails is logged and tried again the next time; the others do not wait for it.
    """
    newest = list(AuditAnchor.objects.order_by("-number")[:MOST_AT_ONCE])
    return sum(_deliver_to(name, send, newest) for name, send in destinations().items()) if newest else 0


def late_places(grace: timedelta) -> dict[str, int]:
    """The places that lack anchors made longer ago than this, each with how many it lacks."""
    newest = list(AuditAnchor.objects.order_by("-number")[:MOST_AT_ONCE])
    line = clock.now() - grace
    counts = {name: sum(anchor.made_at < line for anchor in _missing(name, newest)) for name in destinations()}
    return {name: count for name, count in counts.items() if count}


def is_anchor_overdue(grace: timedelta) -> bool:
    """Whether entries were sealed that no anchor holds, though one was due so long ago."""
    last, now = latest_anchor(), clock.now()
    due = anchor_settings().every + grace
    if last is None:
        return AuditSeal.objects.filter(entry_id__lt=ids.first_uuid(now - due)).exists()
    if last.made_at + due > now:
        return False
    # By the entries' ids, which hold their time: the seals' own time has no index.
    since, until = ids.first_uuid(last.made_at), ids.first_uuid(now - grace)
    return AuditSeal.objects.filter(entry_id__gte=since, entry_id__lt=until).exists()


def destinations() -> Mapping[str, Callable[[AuditAnchor], object]]:
    """The configured places by name: "file", "emails", "database"."""
    chosen = anchor_settings()
    found: dict[str, Callable[[AuditAnchor], object]] = {}
    if chosen.file:
        found["file"] = partial(_append, chosen.file)
    if chosen.emails:
        found["emails"] = partial(_mail, chosen.emails)
    if chosen.database:
        found["database"] = partial(_copy, chosen.database)
    return found


def _deliver_to(name: str, send: Callable[[AuditAnchor], object], newest: list[AuditAnchor]) -> int:
    done = 0
    for anchor in _missing(name, newest):
        try:
            send(anchor)
        except Exception:  # noqa: BLE001 - whatever keeps one place away must not keep the others
            _log.exception("anchor %s could not be taken to %s", anchor.number, name)
            break
        AuditAnchorDelivery.objects.get_or_create(
            anchor=anchor, destination=name, defaults={"delivered_at": clock.now()}
        )
        done += 1
    return done


def _missing(name: str, newest: list[AuditAnchor]) -> list[AuditAnchor]:
    """What came after the last that arrived. A new place starts with the newest alone: every anchor holds all heads."""
    last = AuditAnchorDelivery.objects.filter(destination=name).order_by("-anchor_id").first()
    if last is None:
        return newest[:1]
    return [anchor for anchor in reversed(newest) if anchor.number > last.anchor_id]


def _append(path: str, anchor: AuditAnchor) -> None:
    with open(path, "a", encoding="ascii") as file:
        file.write(anchor_line(anchor) + "\n")
        file.flush()
        os.fsync(file.fileno())


def _mail(addresses: tuple[str, ...], anchor: AuditAnchor) -> None:
    text = (
        f"The audit trail held {anchor.sealed} sealed entries at {anchor.made_at:%Y-%m-%d %H:%M:%S} UTC.\n"
        "Keep this message. The line below, saved in a file, is what\n"
        "manage.py majuu_audit verify --anchors FILE compares the trail with.\n\n"
    )
    send_mail(f"Majuu audit anchor {anchor.number}", f"{text}{anchor_line(anchor)}\n", None, list(addresses))


def _copy(alias: str, anchor: AuditAnchor) -> None:
    values = {name: getattr(anchor, name) for name in ("made_at", "sealed", "body", "signature")}
    AuditAnchor.objects.using(alias).get_or_create(number=anchor.number, defaults=values)
