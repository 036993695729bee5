"""How much two names resemble each other, from 0 to 100, and why.

A name becomes tokens: without accents, case, punctuation, titles, particles and forms of companies; Cyrillic in Latin
letters. Tokens are compared by Jaro-Winkler, as they are written and once more with spellings of one sound folded
together (Mohammed, Muhammad), and paired so that the pairs are best. Their order does not matter; words that only one
side has cost something; one common word alone is never enough.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

SAME_TOKEN = 85  # pairs below are strangers
_JOINED = 95  # as alike must two words written as one be to a word of the other name
_FOLDED_COST = 2  # of a pair that is alike only once its spelling is folded
_ONE_TOKEN_MOST = 80  # one pair of tokens among several
_SPARE = 0.25  # how much of a word that only one side has counts

# A particle or a form says nothing about who it is.
_PARTICLES = frozenset(
    "al el ul as ad ar an ash az at bin ibn ben bint binti wa von van der den de da do dos das del della di la le the "
    "and of mr mrs ms dr eng hon prof sheikh shaikh haji hajj sir".split()
)
_FORMS = frozenset(
    "ltd limited plc llc llp inc incorporated corp corporation company co gmbh ag sa sarl bv nv spa srl oy ab as pty "
    "pte fze fzco fzc est establishment enterprise enterprises group holding holdings trading".split()
)
_LETTERS = str.maketrans(
    {
        **dict(zip("ßøłđðþæœıħ", ("ss", "o", "l", "d", "d", "th", "ae", "oe", "i", "h"), strict=True)),
        **dict(
            zip(
                "абвгдеёжзийклмнопрстуфхцчшщъыьэюяіїєґ",
                "a b v g d e e zh z i i k l m n o p r s t u f kh ts ch sh shch  y  e yu ya i yi ye g".split(" "),
                strict=True,
            )
        ),
    }
)
# Spellings of one sound, longest first.
_SOUNDS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), folded)
    for pattern, folded in (
        (r"tsch|tch", "ch"),
        (r"sch|shch", "sh"),
        (r"kh", "h"),
        (r"gh", "g"),
        (r"ph", "f"),
        (r"dj|zh", "j"),
        (r"th", "t"),
        (r"dh", "d"),
        (r"ck|q|c(?!h)", "k"),
        (r"x", "ks"),
        (r"w", "v"),
        (r"ou|oo|o", "u"),
        (r"ee|ie|ei|ey|iy|ay|ai", "i"),
        (r"y", "i"),
        (r"e", "a"),
        (r"(.)\1+", r"\1"),
        (r"(?<=.)h$", ""),
    )
)


@dataclass(frozen=True, slots=True)
class Likeness:
    """How alike two names are, 0 to 100, and the pairs of words that say so."""

    score: int
    explanation: str


def tokens(name: str) -> tuple[str, ...]:
    """The words of a name that tell people apart. A name of nothing but particles keeps them."""
    plain = name.casefold().translate(_LETTERS)
    plain = unicodedata.normalize("NFKD", plain)
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    words = re.sub(r"[^\w\s]|_", " ", re.sub(r"['’ʼ`ʿʾ.]", "", plain)).split()
    telling = tuple(word for word in words if word not in _PARTICLES and word not in _FORMS)
    return telling or tuple(words)


def spellings(words: Sequence[str]) -> set[str]:
    """Each word, and each two that may be one (Abdul Rahman, Abdulrahman)."""
    return {*words, *(first + second for first, second in pairwise(words))}


def first_sound(word: str) -> str:
    """What a word begins with, spellings of one sound folded together."""
    return _folded(word)[:1]


@lru_cache(maxsize=200_000)
def word_likeness(first: str, second: str) -> int:
    """How alike two words are, 0 to 100."""
    if first == second:
        return 100
    folded_first, folded_second = _folded(first), _folded(second)
    folded = _jaro_winkler(folded_first, folded_second) - _FOLDED_COST
    return max(_jaro_winkler(first, second), folded, 0)


def name_likeness(first: Sequence[str], second: Sequence[str]) -> Likeness:
    """Compare two names by their tokens."""
    found = [_paired(one, second) for one in _joinings(first, second)]
    found += [_paired(first, other) for other in _joinings(second, first)[1:]]
    return max(found, key=lambda likeness: likeness.score)


def _joinings(words: Sequence[str], others: Sequence[str]) -> list[tuple[str, ...]]:
    """The words, and the words with two written as one, where the other name has such a word."""
    found = [tuple(words)]
    for place in range(len(words) - 1):
        joined = words[place] + words[place + 1]
        if any(word_likeness(joined, other) >= _JOINED for other in others):
            found.append((*words[:place], joined, *words[place + 2 :]))
    return found


def _paired(first: Sequence[str], second: Sequence[str]) -> Likeness:
    """The best pairs first; each word is in one pair at most."""
    candidates = sorted(
        (
            (likeness, one, other)
            for one, word in enumerate(first)
            for other, word2 in enumerate(second)
            if (likeness := word_likeness(word, word2)) >= SAME_TOKEN
        ),
        key=lambda item: (-item[0], item[1], item[2]),
    )
    left, right, pairs = set(range(len(first))), set(range(len(second))), []
    for likeness, one, other in candidates:
        if one in left and other in right:
            left.remove(one)
            right.remove(other)
            pairs.append((likeness, first[one], second[other]))
    spare = [second[place] for place in sorted(right)]
    return Likeness(_score(pairs, len(first), len(second)), _explained(pairs, spare))


def _score(pairs: Sequence[tuple[int, str, str]], first: int, second: int) -> int:
    if not pairs:
        return 0
    fewer, more = min(first, second), max(first, second)
    whole = (1 - _SPARE) * fewer + _SPARE * more
    # What a pair lacks counts twice: Jaro-Winkler is mild with words that begin alike.
    score = round(sum(2 * likeness - 100 for likeness, _, _ in pairs) / whole)
    return min(score, _ONE_TOKEN_MOST) if len(pairs) == 1 and more > 1 else min(score, 100)


def _explained(pairs: Sequence[tuple[int, str, str]], spare: Sequence[str]) -> str:
    said = [f"{one} = {other}" if one == other else f"{one} ~ {other} ({how})" for how, one, other in pairs]
    if spare:
        said.append(f"only on the list: {' '.join(spare)}")
    return ", ".join(said)


@lru_cache(maxsize=200_000)
def _folded(word: str) -> str:
    for pattern, folded in _SOUNDS:
        word = pattern.sub(folded, word)
    return word


def _jaro_winkler(first: str, second: str) -> int:
    """Jaro's likeness of two texts, more for a common beginning (Winkler 1990), rounded to a hundredth."""
    if first == second:
        return 100
    if not first or not second:
        return 0
    matched, swapped = _matches(first, second)
    if not matched:
        return 0
    jaro = (matched / len(first) + matched / len(second) + (matched - swapped) / matched) / 3
    common = 0
    for one, other in zip(first[:4], second[:4], strict=False):
        if one != other:
            break
        common += 1
    return round(100 * (jaro + common * 0.1 * (1 - jaro)))


def _matches(first: str, second: str) -> tuple[int, int]:
    """How many letters match within reach, and how many of them are out of order, by halves."""
    reach = max(max(len(first), len(second)) // 2 - 1, 0)
    used = [False] * len(second)
    in_first = []
    for place, letter in enumerate(first):
        for other in range(max(place - reach, 0), min(place + reach + 1, len(second))):
            if not used[other] and second[other] == letter:
                used[other] = True
                in_first.append(letter)
                break
    in_second = [letter for letter, is_used in zip(second, used, strict=True) if is_used]
    out_of_order = sum(one != other for one, other in zip(in_first, in_second, strict=True))
    return len(in_first), out_of_order // 2
