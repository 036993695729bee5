"""``manage.py majuu_audit``: seal, anchor, export and verify the audit trail."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TextIO

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser

from majuu_core.audit.anchors import anchor_record, latest_anchor, make_anchor, own_public_keys
from majuu_core.audit.configuration import anchor_settings
from majuu_core.audit.delivery import deliver_anchors
from majuu_core.audit.models import AuditAnchor
from majuu_core.audit.records import (
    BadExport,
    Record,
    database_records,
    file_anchors,
    file_records,
    write_records,
)
from majuu_core.audit.sealing import read_heads, seal_entries, seal_everything, unsealed_entries
from majuu_core.audit.services import record_entry
from majuu_core.audit.verification import Verifier

MOST_COUNTED = 100_000


class Command(BaseCommand):
    help = "The audit trail: show its state, seal it, anchor it, export it, and find out whether anybody changed it."
    requires_system_checks: list[str] = []  # an auditor verifies an export without our settings

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("status", help="show the chains, the unsealed tail, the last anchor and the public key")
        seal = verbs.add_parser("seal", help="seal now what the worker would seal")
        seal.add_argument("--all", action="store_true", help="look for unsealed entries from the very first on")
        verbs.add_parser("anchor", help="make an anchor now and take it to the configured places")
        export = verbs.add_parser("export", help="write entries, seals and anchors to a file, as JSON lines")
        export.add_argument("--to", required=True, metavar="FILE", help="a file that does not exist yet")
        export.add_argument(
            "--with-personal-data",
            action="store_true",
            help="beside each entry, what is personal in it, decrypted; a verifier does not need that",
        )
        verify = verbs.add_parser("verify", help="look for changes; exit code 1 when there are any")
        verify.add_argument("--file", metavar="FILE", help="verify this export; the database is not asked")
        verify.add_argument("--anchors", metavar="FILE", help="compare with the anchors in this file, too")
        verify.add_argument(
            "--public-key",
            action="append",
            default=[],
            metavar="HEX",
            help="whose anchors to believe (repeatable); without it, the keys of this site's settings",
        )

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        actions: dict[str, Callable[..., None]] = {
            "status": self._status,
            "seal": self._seal,
            "anchor": self._anchor,
            "export": self._export,
            "verify": self._verify,
        }
        actions[verb](**options)

    def _status(self, **options: Any) -> None:
        heads, anchor = read_heads(), latest_anchor()
        waiting = len(unsealed_entries().values_list("pk")[:MOST_COUNTED])
        self.stdout.write(f"Sealed: {sum(head.sequence for head in heads)} entries in {len(heads)} chains.")
        self.stdout.write(f"Not sealed yet: {waiting}{'+' if waiting == MOST_COUNTED else ''}.")
        last = f"{anchor.number}, {anchor.made_at:%Y-%m-%d %H:%M:%S} UTC, {anchor.sealed} entries" if anchor else "none"
        self.stdout.write(f"Last anchor: {last}.")
        self.stdout.write(f"Public key: {own_public_keys()[0]}")

    def _seal(self, *, all: bool, **options: Any) -> None:
        total = seal_everything() if all else 0
        while done := seal_entries():
            total += done
        self.stdout.write(f"{total} entries sealed.")

    def _anchor(self, **options: Any) -> None:
        anchor = make_anchor()
        self.stdout.write(f"Anchor {anchor.number} made." if anchor else "Nothing was sealed since the last anchor.")
        self.stdout.write(f"{deliver_anchors()} taken to the configured places.")

    def _export(self, *, to: str, with_personal_data: bool, **options: Any) -> None:
        try:
            with open(to, "x", encoding="ascii", opener=_private) as file:
                lines = write_records(database_records(readable=with_personal_data), file)
        except OSError as problem:
            raise CommandError(f"{to} cannot be written: {problem.strerror}.") from None
        changes = {"lines": lines, "with_personal_data": with_personal_data, "by": _login_name()}
        record_entry(action="audit.exported", object_id="audit", changes=changes)
        self.stdout.write(f"{lines} lines written to {to}.")

    def _verify(self, *, file: str | None, anchors: str | None, public_key: list[str], **options: Any) -> None:
        with ExitStack() as stack:
            try:
                verifier = Verifier(public_keys=_keys(public_key), anchors=_anchors(file, anchors, stack))
                records = file_records(_open(file, stack)) if file else database_records()
                wrong = self._report(verifier, records)
            except (BadExport, UnicodeDecodeError) as problem:
                raise CommandError(f"This cannot be read: {problem}.") from None
        if wrong:
            raise CommandError(f"The audit trail was changed: {wrong} findings.")
        if not verifier.summary.anchors:
            self.stderr.write("There is no anchor to compare with: an end that was cut off would not be found.")

    def _report(self, verifier: Verifier, records: Iterable[Record]) -> int:
        wrong = 0
        for finding in verifier.findings(records):
            self.stderr.write(str(finding))
            wrong += 1
        seen = verifier.summary
        self.stdout.write(
            f"{seen.sealed} sealed entries in {seen.chains} chains, {seen.unsealed} not sealed yet, "
            f"{seen.anchors} anchors{f', the last of {seen.last_anchor}' if seen.last_anchor else ''}."
        )
        return wrong


def _keys(given: list[str]) -> tuple[str, ...]:
    for key in given:
        if len(key) != 64 or set(key.lower()) - set("0123456789abcdef"):
            raise CommandError(f"{key!r} is no public key. It has 64 hexadecimal digits; majuu_audit status shows it.")
    try:
        return tuple(key.lower() for key in given) or own_public_keys()
    except ImproperlyConfigured:
        raise CommandError("Name the site's key with --public-key; majuu_audit status shows it there.") from None


def _anchors(file: str | None, anchors: str | None, stack: ExitStack) -> Iterator[Record]:
    """From the named file; without an export to look at, from where this site takes its anchors as well."""
    if anchors:
        yield from file_anchors(_open(anchors, stack))
    if file:
        return
    chosen = anchor_settings()
    if chosen.file and not anchors and Path(chosen.file).exists():
        yield from file_anchors(_open(chosen.file, stack))
    if chosen.database:
        yield from map(anchor_record, AuditAnchor.objects.using(chosen.database).order_by("number"))


def _open(path: str, stack: ExitStack) -> TextIO:
    try:
        return stack.enter_context(open(path, encoding="utf-8"))
    except OSError as problem:
        raise CommandError(f"{path} cannot be read: {problem.strerror}.") from None


def _login_name() -> str:
    """Who runs the command, as the operating system says."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def _private(path: str, flags: int) -> int:
    """Entries say who did what from where: the file is its owner's alone."""
    return os.open(path, flags, 0o600)
