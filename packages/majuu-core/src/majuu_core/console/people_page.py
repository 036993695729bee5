"""The page "People": what is known about one person, as a file, and its erasure.

The person is named in a form that is sent, never in an address: addresses end up in logs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse

from majuu_core.accounts.step_up import ask_for_second_factor, is_fresh
from majuu_core.accounts.trail import acting_user
from majuu_core.common.problems import Problem
from majuu_core.privacy.holds import place_hold, release_hold
from majuu_core.privacy.models import RetentionHold
from majuu_core.privacy.reports import as_json, as_zip, erasure_lines
from majuu_core.privacy.services import Dossier, erase_person, export_person, look_up

FIND = "majuu_privacy.find_person"
EXPORT = "majuu_privacy.export_person"
ERASE = "majuu_privacy.erase_person"
HOLD = "majuu_privacy.hold_person"
# Typed by whoever erases: a click alone is too easily made.
WORD = "ERASE"
_MOST_SHOWN = 500
_NEEDED = {"find": FIND, "json": EXPORT, "zip": EXPORT, "erase": ERASE, "hold": HOLD, "release": HOLD}
_STEP_UP = frozenset({"json", "zip", "erase"})


def people_page(request: HttpRequest, context: dict[str, Any]) -> HttpResponseBase:
    """Look somebody up, and do one of what may be done. ``context`` is the site's."""
    if not request.user.has_perm(FIND):
        raise PermissionDenied
    doing = request.POST.get("do", "find") if request.method == "POST" else ""
    if doing and not (doing in _NEEDED and request.user.has_perm(_NEEDED[doing])):
        raise PermissionDenied
    if doing in _STEP_UP and not is_fresh(request):
        return ask_for_second_factor(request)
    person = request.POST.get("person", "").strip()
    try:
        with acting_user(request):
            answer = _ACTIONS[doing](request, person) if doing in _ACTIONS else None
            dossier = look_up(person) if person and answer is None else None
    except Problem as problem:
        messages.error(request, problem.message)
        answer = dossier = None
    return answer or _show(request, context, person, dossier)


def _show(request: HttpRequest, context: dict[str, Any], person: str, dossier: Dossier | None) -> TemplateResponse:
    holds = RetentionHold.objects.filter(released_at__isnull=True).order_by("pk")[:_MOST_SHOWN]
    page = {
        **context,
        "title": "People",
        "majuu_person": person,
        "majuu_dossier": dossier,
        "majuu_verdicts": dossier.verdicts[:_MOST_SHOWN] if dossier else (),
        "majuu_holds": holds if request.user.has_perm(HOLD) else (),
        "majuu_may": {name: request.user.has_perm(permission) for name, permission in _NEEDED.items()},
        "majuu_word": WORD,
    }
    return TemplateResponse(request, "majuu_console/people.html", page)


def _json(request: HttpRequest, person: str) -> HttpResponse:
    return _file(as_json(export_person(person)).encode(), "application/json", "person.json")


def _zip(request: HttpRequest, person: str) -> HttpResponse:
    return _file(as_zip(export_person(person)), "application/zip", "person.zip")


def _file(content: bytes, kind: str, name: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return HttpResponse(content, content_type=kind, headers=headers)


def _erase(request: HttpRequest, person: str) -> None:
    if request.POST.get("word") != WORD:
        messages.error(request, f"Nothing was erased. Type {WORD} to do it; there is no way back.")
        return
    for line in erasure_lines(erase_person(person)):
        messages.success(request, line)


def _hold(request: HttpRequest, person: str) -> None:
    row = place_hold(person=person, reason=request.POST.get("reason", ""))
    messages.success(request, f"{row.public_id} stands from now on.")


def _release(request: HttpRequest, person: str) -> None:
    row = release_hold(public_id=request.POST.get("hold", ""))
    messages.success(request, f"{row.public_id} is over.")


_ACTIONS: dict[str, Callable[[HttpRequest, str], HttpResponse | None]] = {
    "json": _json,
    "zip": _zip,
    "erase": _erase,
    "hold": _hold,
    "release": _release,
}
