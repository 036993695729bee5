"""Sanctions lists from files: read once, kept while the file stays the same, searched by resembling names.

A file is CSV in UTF-8 with a heading: ``name``, ``aliases`` (joined by ``;``), ``birth_date`` (a year or a day, several
joined by ``;``), ``country``, ``list``, ``id``. Only ``name`` must be there.
"""

from __future__ import annotations

import csv
import re
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from majuu_core.merchants.kyc.configuration import sanctions_files, sanctions_threshold
from majuu_core.merchants.kyc.names import SAME_TOKEN, first_sound, name_likeness, spellings, tokens, word_likeness
from majuu_core.plugins.contributions import ListedName

_SAME_DAY, _SAME_YEAR, _OTHER_YEAR = 5, 3, -15
_YEARS_APART = 2  # birth years on lists are often guesses
_MOST_FOUND = 20


class SanctionsUnreadable(Exception):
    """A file of MAJUU_SANCTIONS_FILES cannot be read: nobody is compared, and nobody is approved, until it can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Somebody on a list. ``births`` are years (``1970``) or days (``1970-05-17``)."""

    list_code: str
    entry_id: str
    names: tuple[str, ...]
    births: tuple[str, ...]
    country: str

    @property
    def details(self) -> str:
        """What else the list says, for people to compare."""
        return " · ".join([*(f"born {birth}" for birth in self.births), *([self.country] if self.country else [])])


class SanctionsList:
    """All entries of one file, found by any word that resembles one of theirs."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._names = [(entry, name, tokens(name)) for entry in entries for name in entry.names]
        self._by_word: dict[str, set[int]] = defaultdict(set)
        self._by_sound: dict[str, set[str]] = defaultdict(set)
        for number, (_, _, words) in enumerate(self._names):
            for word in spellings(words):
                self._by_word[word].add(number)
                self._by_sound[first_sound(word)].add(word)

    def __len__(self) -> int:
        return len({id(entry) for entry, _, _ in self._names})

    def find(self, name: str, born_on: date | None = None) -> Iterator[ListedName]:
        """Entries that resemble this name at least as much as MAJUU_SANCTIONS_THRESHOLD says."""
        words, threshold = tokens(name), sanctions_threshold()
        best: dict[int, ListedName] = {}
        for number in self._candidates(words):
            entry, listed, theirs = self._names[number]
            likeness = name_likeness(words, theirs)
            change, why = _birth_change(born_on, entry.births)
            score = max(min(likeness.score + change, 100), 0)
            if score < threshold or (id(entry) in best and best[id(entry)].score >= score):
                continue
            best[id(entry)] = ListedName(
                list_code=entry.list_code,
                entry_id=entry.entry_id,
                name=listed,
                details=entry.details,
                score=score,
                explanation="; ".join(part for part in (likeness.explanation, why) if part),
            )
        yield from sorted(best.values(), key=lambda found: (-found.score, found.entry_id))[:_MOST_FOUND]

    def _candidates(self, words: Sequence[str]) -> set[int]:
        """Names with one word at least that resembles and begins with the same sound; the others are compared then."""
        found: set[int] = set()
        for word in spellings(words):
            for listed in self._by_sound.get(first_sound(word), ()):
                if _may_resemble(word, listed) and word_likeness(word, listed) >= SAME_TOKEN:
                    found |= self._by_word[listed]
        return found


def find_in_files(name: str, born_on: date | None = None) -> list[ListedName]:
    """Everybody in MAJUU_SANCTIONS_FILES who resembles this name. Raises SanctionsUnreadable."""
    return [found for path in sanctions_files() for found in load(path).find(name, born_on)]


_loaded: dict[Path, tuple[tuple[int, int], SanctionsList]] = {}
_lock = threading.Lock()


def load(path: Path) -> SanctionsList:
    """The list in a file, read again when the file has changed. Raises SanctionsUnreadable."""
    with _lock:
        try:
            stat = path.stat()
            state = (stat.st_mtime_ns, stat.st_size)
            kept = _loaded.get(path)
            if kept is None or kept[0] != state:
                kept = (state, SanctionsList(_read(path)))
                _loaded[path] = kept
        except (OSError, UnicodeDecodeError, csv.Error, ValueError) as problem:
            raise SanctionsUnreadable(f"The sanctions list {path.name} cannot be read: {problem}") from None
    return kept[1]


def _read(path: Path) -> list[Entry]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        if "name" not in (rows.fieldnames or ()):
            raise ValueError('its first line has no column "name"')
        found = [_entry(row, number, path.stem) for number, row in enumerate(rows, start=2) if any(row.values())]
    if not found:
        raise ValueError("it has no entries")
    return found


def _entry(row: dict[str, str], line: int, stem: str) -> Entry:
    names = [" ".join(name.split()) for name in (row["name"] or "", *(row.get("aliases") or "").split(";"))]
    births = tuple(part.strip() for part in (row.get("birth_date") or "").split(";") if part.strip())
    if not names[0]:
        raise ValueError(f"line {line} has no name")
    if wrong := [birth for birth in births if not re.fullmatch(r"\d{4}(-\d\d-\d\d)?", birth)]:
        raise ValueError(f"line {line}: {wrong[0]!r} is no year and no day such as 1970-05-17")
    return Entry(
        list_code=(row.get("list") or "").strip()[:64] or stem[:64],
        entry_id=(row.get("id") or "").strip()[:128] or f"line {line}",
        names=tuple(dict.fromkeys(name[:300] for name in names if name)),
        births=births,
        country=(row.get("country") or "").strip()[:60],
    )


def _may_resemble(first: str, second: str) -> bool:
    # Jaro cannot reach the bound when one word is more than twice as long.
    shorter, longer = sorted((len(first), len(second)))
    return longer <= 2 * shorter


def _birth_change(born_on: date | None, births: Sequence[str]) -> tuple[int, str]:
    if born_on is None or not births:
        return 0, ""
    if born_on.isoformat() in births:
        return _SAME_DAY, "born on the same day (+5)"
    apart = min(abs(int(birth[:4]) - born_on.year) for birth in births)
    if apart == 0:
        return _SAME_YEAR, "born in the same year (+3)"
    if apart > _YEARS_APART:
        return _OTHER_YEAR, f"born {apart} years apart (-15)"
    return 0, f"born {apart} years apart"
