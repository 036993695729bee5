"""How alike two texts are: references by the slips of a finger, names by their words. Pure, and the same both ways."""

from __future__ import annotations

import re
import unicodedata
from enum import IntEnum

_LONGEST_NAME = 200
_TITLES = frozenset("MR MRS MS MISS DR PROF ENG HON REV BW BI BWANA BIBI MAMA BABA MZEE".split())


class NameLikeness(IntEnum):
    """How well two names agree, the better the higher."""

    UNKNOWN = 0  # one of them says nothing
    DIFFERENT = 1
    INITIALS = 2  # a common word and an initial, or initials alone in the right order
    PART = 3  # one word in common
    SAME = 4  # two words or more in common, and none that contradicts


def slips(one: str, other: str, most: int = 2) -> int:
    """The Damerau-Levenshtein distance (optimal alignment): wrong, missing, additional and swapped characters.

    Anything beyond ``most`` is told as ``most + 1``.
    """
    if one == other:
        return 0
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, left in enumerate(one, start=1):
        now = [row]
        for column, right in enumerate(other, start=1):
            cost = min(last[column] + 1, now[column - 1] + 1, last[column - 1] + (left != right))
            if row > 1 and column > 1 and left == other[column - 2] and one[row - 2] == right:
                cost = min(cost, before[column - 2] + 1)
            now.append(cost)
        if min(now) > most and min(last) > most:
            return most + 1
        before, last = last, now
    return min(last[-1], most + 1)


def name_words(name: str) -> tuple[str, ...]:
    """The words of a name in capitals, without marks and titles; what is no letter parts them."""
    plain = unicodedata.normalize("NFKD", name[:_LONGEST_NAME]).upper()
    letters = "".join(c for c in plain if unicodedata.category(c) not in {"Mn", "Cf"})
    words = re.split(r"[^A-Z]+", letters.replace("'", ""))
    return tuple(word for word in words if word and word not in _TITLES)


def email_words(address: str) -> tuple[str, ...]:
    """The words of the name in an e-mail address: ``otieno.j@example.com`` says OTIENO J."""
    return name_words(address.partition("@")[0])


def compare_names(one: tuple[str, ...], other: tuple[str, ...]) -> NameLikeness:
    """How well two names agree, whatever the order of their words."""
    if not one or not other:
        return NameLikeness.UNKNOWN
    shared, left, right = _pair(one, other)
    if len(shared) >= 2:
        return NameLikeness.SAME
    initials = _initials(left, right)
    if shared:
        return NameLikeness.SAME if initials and min(len(one), len(other)) >= 2 else NameLikeness.PART
    if initials >= 2 or _is_run_together(one, other) or _is_run_together(other, one):
        return NameLikeness.PART
    return NameLikeness.INITIALS if initials else NameLikeness.DIFFERENT


def _pair(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[list[str], list[str], list[str]]:
    """Words in common (one slip is forgiven in words of five letters or more), and what is left of each."""
    shared: list[str] = []
    left, right = [], list(other)
    for word in sorted(one, key=lambda found: (-len(found), found)):
        fits = [candidate for candidate in right if _is_same_word(word, candidate)]
        if fits:
            best = min(fits, key=lambda candidate: (candidate != word, candidate))
            right.remove(best)
            shared.append(word)
        else:
            left.append(word)
    return shared, left, right


def _is_same_word(one: str, other: str) -> bool:
    if len(one) < 2 or len(other) < 2:
        return False
    return one == other or (min(len(one), len(other)) >= 5 and slips(one, other, 1) <= 1)


def _initials(one: list[str], other: list[str]) -> int:
    """How many single letters of one side begin a word of the other."""
    free = list(other)
    count = 0
    for word in one:
        fit = next((found for found in free if found[0] == word[0] and 1 in (len(found), len(word))), None)
        if fit is not None:
            free.remove(fit)
            count += 1
    return count


def _is_run_together(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """JOHNOTIENO or JOTIENO against JOHN OTIENO."""
    if len(one) != 1 or len(other) < 2:
        return False
    joined = {first + second for first in other for second in other if first != second}
    joined |= {first[0] + second for first in other for second in other if first != second and len(second) > 3}
    return one[0] in joined
