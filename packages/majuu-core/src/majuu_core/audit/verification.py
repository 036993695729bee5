"""Reading the trail again and saying exactly what is wrong with it. Works on records, so also without a database."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from majuu_core.audit.anchors import body_of, is_signed_by
from majuu_core.audit.encoding import BEGINNING, seal_hash
from majuu_core.audit.models import PLATFORM
from majuu_core.audit.records import READABLE_VERSIONS, Record

# No transaction of Majuu stays open for this long, so an entry is not dated further back than what was sealed before.
LATE = timedelta(hours=1)
AHEAD = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong. ``chain`` is empty for what belongs to none, ``sequence`` 0 for no one place."""

    kind: str
    chain: str
    sequence: int
    message: str

    def __str__(self) -> str:
        place = f"{self.chain} {self.sequence}: " if self.sequence else f"{self.chain}: " if self.chain else ""
        return f"{place}{self.message}"


@dataclass(slots=True)
class Summary:
    """What was read. Complete when the findings have all been taken."""

    chains: int = 0
    sealed: int = 0
    unsealed: int = 0
    anchors: int = 0
    last_anchor: str = ""


@dataclass(slots=True)
class _Chain:
    sequence: int = 0
    hashes: tuple[str, ...] = (BEGINNING,)  # what the next seal may build upon: as stored, and as computed


@dataclass(slots=True)
class Verifier:
    """Verifies one trail. ``anchors`` come from outside; those in the records are taken as well."""

    public_keys: tuple[str, ...]
    anchors: Iterable[Record] = ()
    summary: Summary = field(default_factory=Summary)
    _chains: dict[str, _Chain] = field(default_factory=lambda: defaultdict(_Chain))
    _heads: dict[str, dict[int, tuple[str, int]]] = field(default_factory=lambda: defaultdict(dict))
    _bodies: dict[int, bytes] = field(default_factory=dict)
    _own: set[int] = field(default_factory=set)
    _made_at: datetime | None = None
    _newest: datetime | None = None
    _ended: bool = False

    def findings(self, records: Iterable[Record]) -> Iterator[Finding]:
        """Everything that is wrong, as it is met; then what is missing at the end."""
        for anchor in self.anchors:
            yield from self._take_anchor(anchor)
        outside = set(self._bodies)
        counts = {"anchors": 0, "seals": 0, "unsealed": 0}
        for number, record in enumerate(records):
            if number == 0:
                yield from self._take_start(record)
            elif self._ended:
                yield Finding("export", "", 0, f"line {number + 1} stands behind the end of the export")
            else:
                yield from self._take(record, counts, number + 1)
        if not self._ended:
            yield Finding("export", "", 0, "the export has no end: it was cut off")
        yield from self._check_anchors(outside)
        yield from self._check_lengths()

    def _take(self, record: Record, counts: dict[str, int], line: int) -> Iterator[Finding]:
        seal, entry = record.get("seal"), record.get("entry")
        match record:
            case {"anchor": _}:
                counts["anchors"] += 1
                yield from self._take_anchor(record, own=True)
            case {"seal": _, "entry": _} if isinstance(seal, dict):
                counts["seals"] += 1
                yield from self._take_seal(seal, entry)
            case {"entry": _} if isinstance(entry, dict):
                counts["unsealed"] += 1
                yield from self._take_unsealed(entry)
            case {"end": stated}:
                self._ended = True
                if stated != counts:
                    yield Finding("export", "", 0, f"the export says it holds {stated}, but it holds {counts}")
            case _:
                yield Finding("export", "", 0, f"line {line} is none that an export has")

    def _take_start(self, record: Record) -> Iterator[Finding]:
        match record:
            case {"export": {"version": version, "made_at": made_at}} if version in READABLE_VERSIONS:
                self._made_at = _moment(made_at)
        if self._made_at is None:
            known = " or ".join(map(str, READABLE_VERSIONS))
            yield Finding("export", "", 0, f"this is no export of version {known}: its first line says otherwise")

    def _take_anchor(self, record: Record, *, own: bool = False) -> Iterator[Finding]:
        match record.get("anchor"):
            case {"number": int(number), "made_at": str(made_at), "heads": list(heads)} if all(map(_is_head, heads)):
                pass
            case _:
                yield Finding("anchor", "", 0, "an anchor is not whole: it was changed")
                return
        body = body_of(record)
        if not is_signed_by(body, str(record.get("signature")), self.public_keys):
            yield Finding("anchor", "", 0, f"anchor {number} of {made_at} is signed by none of the known keys")
            return
        if own:
            self._own.add(number)
        digest = hashlib.sha256(body).digest()
        if self._bodies.setdefault(number, digest) != digest:
            yield Finding("anchor", "", 0, f"there are two different anchors with the number {number}")
        if number >= max(self._bodies):
            self.summary.last_anchor = made_at
        self.summary.anchors = len(self._bodies)
        for chain, sequence, head in heads:
            known, first = self._heads[chain].setdefault(sequence, (head, number))
            if known != head:
                yield Finding("anchor", chain, sequence, f"anchors {first} and {number} hold different hashes")

    def _take_seal(self, seal: Mapping[str, Any], entry: Any) -> Iterator[Finding]:
        match seal:
            case {
                "chain": str(name),
                "sequence": int(sequence),
                "entry": str(entry_id),
                "hash": str(stored),
                "sealed_at": str(sealed_at),
            } if len(seal) == 5 and sequence > 0:
                pass
            case _:
                yield Finding("seal", str(seal.get("chain", "")), 0, "a seal is not whole: it was changed")
                return
        self.summary.sealed += 1
        chain = self._chains[name]
        if sequence <= chain.sequence:
            yield Finding("order", name, sequence, f"stands behind {chain.sequence}: it was added or moved")
            return
        whole = sequence == chain.sequence + 1
        if not whole:
            yield Finding("missing", name, chain.sequence + 1, _missing(chain.sequence + 1, sequence - 1))
        found = {stored}
        if entry is None:
            yield Finding("removed", name, sequence, f"the entry {entry_id} was removed")
        elif not isinstance(entry, dict) or entry.get("id") != entry_id:
            yield Finding("changed", name, sequence, f"the entry is not {entry_id}, which was sealed here")
        elif whole:
            found |= (computed := _hashes(seal, entry, chain.hashes))
            if stored not in computed:
                yield Finding("changed", name, sequence, f"the entry {entry_id} or its seal was changed")
            else:
                yield from self._check_time(name, sequence, entry, sealed_at)
        chain.sequence, chain.hashes = sequence, tuple(found)
        yield from self._compare(name, sequence, stored)

    def _compare(self, chain: str, sequence: int, stored: str) -> Iterator[Finding]:
        digest, number = self._heads[chain].pop(sequence, (stored, 0)) if chain in self._heads else (stored, 0)
        if digest != stored:
            message = f"the hash is not the one that anchor {number} holds: the chain was written anew"
            yield Finding("anchor", chain, sequence, message)

    def _check_time(self, chain: str, sequence: int, entry: Mapping[str, Any], sealed_at: str) -> Iterator[Finding]:
        created, sealed = _moment(entry.get("created_at")), _moment(sealed_at)
        if created is None or sealed is None:
            return
        if created > sealed + AHEAD:
            yield Finding("dated", chain, sequence, f"the entry {entry['id']} was sealed before the time it bears")
        if self._newest is not None and min(self._newest, sealed) - created > LATE:
            message = f"the entry {entry['id']} was added later than the time it bears: {entry['created_at']}"
            yield Finding("dated", chain, sequence, message)
        self._newest = max(created, self._newest or created)

    def _take_unsealed(self, entry: Mapping[str, Any]) -> Iterator[Finding]:
        self.summary.unsealed += 1
        created = _moment(entry.get("created_at"))
        chain = str(entry.get("merchant_id") or PLATFORM)
        if created is None:
            yield Finding("changed", chain, 0, f"the entry {entry.get('id')} cannot be read: it was changed")
        elif self._newest and self._made_at and min(self._newest, self._made_at) - created > LATE:
            message = (
                f"the entry {entry.get('id')} has no seal, though later ones have: it or its seal was meddled with"
            )
            yield Finding("unsealed", chain, 0, message)

    def _check_anchors(self, outside: set[int]) -> Iterator[Finding]:
        for number in sorted(outside - self._own):
            yield Finding(
                "anchor", "", 0, f"anchor {number} is not in the trail: it was removed, or is younger than it"
            )
        for number in sorted(set(range(1, max(self._own, default=0))) - self._own - outside):
            yield Finding("anchor", "", 0, f"anchor {number} is missing: it was removed")

    def _check_lengths(self) -> Iterator[Finding]:
        self.summary.chains = len(self._chains)
        for chain, heads in sorted(self._heads.items()):
            last = self._chains[chain].sequence if chain in self._chains else 0
            sequence = max(heads, default=0)
            if sequence > last:
                message = (
                    f"{_missing(last + 1, sequence)}: anchor {heads[sequence][1]} holds them, the chain was cut off"
                )
                yield Finding("truncated", chain, last + 1, message)


def _hashes(seal: Mapping[str, Any], entry: Mapping[str, Any], before: Iterable[str]) -> set[str]:
    return {
        seal_hash(
            chain=seal["chain"],
            sequence=seal["sequence"],
            previous=previous,
            sealed_at=seal["sealed_at"],
            entry=entry,
        )
        for previous in before
    }


def _missing(first: int, last: int) -> str:
    return "the seal is missing" if first == last else f"the seals from here to {last} are missing"


def _is_head(value: object) -> bool:
    match value:
        case [str(), int(), str()]:
            return True
    return False


def _moment(text: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return moment if moment is None or moment.tzinfo else None
