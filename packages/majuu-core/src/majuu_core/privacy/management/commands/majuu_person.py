"""``manage.py majuu_person``: export, erase and hold what is known about one person."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from majuu_core.common.problems import Problem
from majuu_core.privacy.holds import person_of, place_hold, release_hold
from majuu_core.privacy.models import RetentionHold
from majuu_core.privacy.reports import as_json, as_zip, dossier_lines, erasure_lines
from majuu_core.privacy.services import erase_person, export_person, look_up

_PERSON = "an e-mail address, a telephone number, cus_… or user:…"


class Command(BaseCommand):
    help = "What is known about one person: show it, export it, erase it, or hold it."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        show = verbs.add_parser("show", help="what is known, and what could be erased; changes nothing")
        show.add_argument("person", help=_PERSON)
        export = verbs.add_parser("export", help="write all of it to a file that does not exist yet")
        export.add_argument("person", help=_PERSON)
        export.add_argument("--to", required=True, metavar="FILE", help="ends with .json or .zip")
        erase = verbs.add_parser("erase", help="erase what nothing obliges us to keep; there is no way back")
        erase.add_argument("person", help=_PERSON)
        erase.add_argument("--yes", action="store_true", help="do it; without this, it is only shown what would be")
        verbs.add_parser("holds", help="list the holds that stand")
        hold = verbs.add_parser("hold", help="let nothing of a person be erased")
        hold.add_argument("person", help=_PERSON)
        hold.add_argument("--reason", required=True, help="who asked for it, and under which number")
        release = verbs.add_parser("release", help="end a hold")
        release.add_argument("hold", help="hold_…")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        actions: dict[str, Callable[..., None]] = {
            "show": self._show,
            "export": self._export,
            "erase": self._erase,
            "holds": self._holds,
            "hold": self._hold,
            "release": self._release,
        }
        try:
            actions[verb](**options)
        except Problem as problem:
            raise CommandError(problem.message) from None

    def _show(self, *, person: str, **options: Any) -> None:
        for line in dossier_lines(look_up(person)):
            self.stdout.write(line)

    def _export(self, *, person: str, to: str, **options: Any) -> None:
        if not to.endswith((".json", ".zip")):
            raise CommandError("The file's name ends with .json or .zip.")
        try:
            with open(to, "xb", opener=_private) as file:
                document = export_person(person)
                file.write(as_zip(document) if to.endswith(".zip") else as_json(document).encode())
        except OSError as problem:
            raise CommandError(f"{to} cannot be written: {problem.strerror}.") from None
        except Problem:
            os.unlink(to)
            raise
        self.stdout.write(f"{len(document['records'])} records written to {to}.")

    def _erase(self, *, person: str, yes: bool, **options: Any) -> None:
        if not yes:
            self._show(person=person)
            raise CommandError("Nothing was erased. Add --yes to do it; there is no way back.")
        for line in erasure_lines(erase_person(person)):
            self.stdout.write(line)

    def _holds(self, **options: Any) -> None:
        rows = RetentionHold.objects.filter(released_at__isnull=True).order_by("pk")
        for row in rows:
            names = ", ".join(person_of(row))
            self.stdout.write(
                f"{row.public_id} since {row.placed_at:%Y-%m-%d} by {row.placed_by}: {row.reason} ({names})"
            )
        if not rows:
            self.stdout.write("No hold stands.")

    def _hold(self, *, person: str, reason: str, **options: Any) -> None:
        self.stdout.write(f"{place_hold(person=person, reason=reason).public_id} placed.")

    def _release(self, *, hold: str, **options: Any) -> None:
        self.stdout.write(f"{release_hold(public_id=hold).public_id} released.")


def _private(path: str, flags: int) -> int:
    """All about one person: the file is its owner's alone."""
    return os.open(path, flags, 0o600)
