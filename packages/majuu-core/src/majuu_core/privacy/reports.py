"""Exports and reports as files and words."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

from majuu_core.privacy.services import Dossier, Erasure, Verdict


def as_json(document: dict[str, Any]) -> str:
    """An export as text that a person can read and a program can take over."""
    return json.dumps(document, indent=2, ensure_ascii=False, default=str) + "\n"


def as_zip(document: dict[str, Any]) -> bytes:
    """An export as a ZIP file: the whole as person.json, and each kind of record in a file of its own."""
    kinds: dict[str, list[dict[str, Any]]] = {}
    for record in document["records"]:
        kinds.setdefault(record["kind"].lower().replace(" ", "-"), []).append(record)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("person.json", as_json(document))
        for kind, records in sorted(kinds.items()):
            archive.writestr(f"{kind}.json", as_json({"records": records}))
    return file.getvalue()


def erasure_lines(report: Erasure) -> Iterator[str]:
    """What was done, in sentences."""
    for source, count in report.erased.items():
        yield f"Erased: {count} in {source}."
    if not report.erased:
        yield "Nothing had to be erased."
    yield f"Keys of the audit trail destroyed: {report.audit_keys}."
    for verdict in report.kept:
        yield kept_line(verdict)


def dossier_lines(dossier: Dossier) -> Iterator[str]:
    """What is known, and what stands in the way of erasing it."""
    for hold in dossier.holds:
        yield f"Hold: {hold}"
    for verdict in dossier.verdicts:
        yield kept_line(verdict) if verdict.kept else f"May be erased: {verdict.record.kind} {verdict.record.id}."
    yield f"Keys in the audit trail: {dossier.audit_keys}."


def kept_line(verdict: Verdict) -> str:
    """Why one record stays."""
    until = f" until {verdict.until:%d %B %Y}" if verdict.until else ""
    return f"Kept{until}: {verdict.record.kind} {verdict.record.id}. {verdict.kept}"
