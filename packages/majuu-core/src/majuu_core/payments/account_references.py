"""What a customer types as the account of a paybill, and how an order number is found in it.

The grammar of a store is ``<PREFIX><order reference><check character>``, for example ``DUKA10452H``: DUKA names the
store on a shared paybill, 10452 is the shop's own order number. People type it in lower case, with spaces and dashes,
with O for 0 and I for 1, with words around it, or cut it short; pasted text brings characters that nobody sees. So
text is compared in its canonical form: capitals and digits only, with the characters that look alike written as one
(Crockford's base 32: I and L are 1, O is 0, U is V).

The check character is Damm's scheme over a quasigroup of order 32, x∘y = a·(x+y) in the field GF(32) with a primitive
a. It finds every wrong character and every swap of two characters, neighbours or not, in up to 31 characters, and it
is itself one of the 32 characters. ISO 7064 does not give both: MOD 37-2 needs a ``*`` as its 37th character, which
people do not type, and MOD 37,36 misses some swaps.

No Django here, and no database: prefixes are given.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import product

MAX_PAYBILL = 20  # characters of an account reference that M-Pesa takes from a customer
MAX_PROMPT = 12  # and from us, in a prompt on the phone
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
NOISE = frozenset(
    "A AC ACC ACCOUNT ACCNO AKAUNTI AKAUNT BILL BILI FOR INV INVOICE ANKARA KWA LIPA MALIPO NAMBA NO "
    "NUMBER NUM ODA OF ORDER PAY PAYMENT PESA REF REFERENCE REFNO YA".split()
)

_LOOKS_LIKE = str.maketrans("ILOU", "110V")
_MEANT_BY = {"0": "0O", "1": "1IL", "V": "VU"}
_VALUES = {character: value for value, character in enumerate(ALPHABET)}
_FIELD = 0b100101  # x^5 + x^2 + 1, which x itself generates all of
_LONGEST_READ = 128
_MOST_WORDS = 8
_PREFIX_LENGTHS = range(1, 9)
_MOST_SPELLINGS = 64
_MANY_DIGITS = 3


class ReferenceRefused(ValueError):
    """An order number that no account reference can be made of. ``code`` is stable; the text says what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadReference:
    """What was found in a customer's text.

    ``order_reference`` is canonical: compare it with ``canonical()`` of an order number. ``check_holds`` is None when
    the text is too short to hold a check character. ``near_misses`` are the order references that one slip (a wrong,
    missing, additional or swapped character) away from the text have a check character that holds; only where the
    text's own does not. They are possibilities: take one only if it is the only one that exists.
    """

    prefix: str
    order_reference: str
    check_holds: bool | None
    near_misses: tuple[str, ...] = ()


def compact(text: str) -> str:
    """Capital letters and digits only: no marks, no separators, nothing invisible. Doing it again changes nothing."""
    return "".join(_plain(unicodedata.normalize("NFKD", text[:_LONGEST_READ])))


def canonical(text: str) -> str:
    """The compact text with characters that look alike written as one; what references are compared by."""
    return compact(text).translate(_LOOKS_LIKE)


def check_character(text: str) -> str:
    """The check character of a canonical text."""
    state = 1  # not 0, so that zeros in front count
    for character in text:
        state = _double(state ^ _VALUES[character])
    return ALPHABET[state]


def check_holds(text: str) -> bool:
    """Whether the last character of a canonical text is the check character of what stands before it."""
    return len(text) > 1 and check_character(text[:-1]) == text[-1]


def full_reference(prefix: str, order_reference: str) -> str:
    """The canonical account reference of an order, with its check character."""
    body = canonical(prefix) + canonical(order_reference)
    return body + check_character(body)


def suggest_account_reference(prefix: str, order_reference: str, *, longest: int = MAX_PAYBILL) -> str:
    """What to print on an invoice: the prefix, the order number and the check character, ready to be typed.

    Raises ReferenceRefused with code ``account_reference_empty`` or ``account_reference_too_long``.
    """
    order = compact(order_reference)
    if not order:
        raise ReferenceRefused("account_reference_empty", "The reference has no letter or digit that a phone can type.")
    body = compact(prefix) + order
    if len(body) + 1 > longest or len(order_reference) > _LONGEST_READ:
        room = max(longest - 1 - len(compact(prefix)), 0)
        text = (
            f"The account reference would be longer than {longest} characters. Use at most {room} letters and digits."
        )
        raise ReferenceRefused("account_reference_too_long", text)
    return body + check_character(canonical(body))


def readings(text: str) -> tuple[str, ...]:
    """Everything a customer may have meant, canonical, the whole text first: words around it are left out step by step.

    Each but the first holds a digit.
    """
    words = [word for word in map(compact, _words(text)) if word][:_MOST_WORDS]
    found = list(whole_readings(text))
    runs = (words[start:end] for start in range(len(words)) for end in range(len(words), start, -1))
    found += ["".join(run).translate(_LOOKS_LIKE) for run in runs if any(map(str.isdigit, "".join(run)))]
    return tuple(dict.fromkeys(reading for reading in found if reading))


def whole_readings(text: str) -> tuple[str, ...]:
    """The whole text, canonical, as it is and without noise words; nothing that a payer added is left out."""
    useful = "".join(word for word in map(compact, _words(text)) if word not in NOISE)
    return tuple(dict.fromkeys(filter(None, (canonical(text), useful.translate(_LOOKS_LIKE)))))


def parse_account_reference(text: str, prefixes: Collection[str] = ("",)) -> ReadReference | None:
    """The order number in a customer's text; None if none of the prefixes fits ("" is that of a store without one).

    A prefix counts when it stands alone, or when what follows looks like an order number: a name such as SOKONI is not
    for the store SOKO. A store's prefix wins over none, then a check character that holds, then the longest prefix,
    then the reading with the most of the text.
    """
    found = [
        read
        for prefix in prefixes
        for reading in readings(text)
        if (read := _split(reading, prefix)) and _is_meant(read, text)
    ]
    return max(found, key=lambda read: (read.prefix != "", bool(read.check_holds), len(read.prefix)), default=None)


def possible_prefixes(text: str) -> frozenset[str]:
    """Every prefix the text may begin with, as stores may have written theirs: to be looked up."""
    return frozenset(
        spelling
        for reading in readings(text)
        for length in _PREFIX_LENGTHS
        if length < len(reading)
        for spelling in _spellings(reading[:length])
    )


def _is_meant(read: ReadReference, text: str) -> bool:
    start = canonical(read.prefix)
    if not start or any(canonical(word) == start for word in _words(text)):
        return True
    digits = sum(map(str.isdigit, compact(text))) - sum(map(str.isdigit, read.prefix))
    return digits >= _MANY_DIGITS or (digits > 0 and bool(read.check_holds or read.order_reference[0].isdigit()))


def _split(reading: str, prefix: str) -> ReadReference | None:
    start = canonical(prefix)
    order = reading[len(start) :]
    if not reading.startswith(start) or not order:
        return None
    if check_holds(reading) and len(order) > 1:
        return ReadReference(prefix=prefix, order_reference=order[:-1], check_holds=True)
    near = tuple(_near_misses(reading, start)) if len(order) > 1 else ()
    holds = False if len(order) > 1 else None
    return ReadReference(prefix=prefix, order_reference=order, check_holds=holds, near_misses=near)


def _near_misses(reading: str, start: str) -> Iterator[str]:
    if len(reading) > MAX_PAYBILL:
        return
    for variant in sorted(_one_slip(reading)):
        order = variant[len(start) : -1]
        if variant.startswith(start) and order and check_holds(variant):
            yield order


def _one_slip(text: str) -> set[str]:
    """Every text from which one slip of the finger makes this one."""
    cuts = [(text[:at], text[at:]) for at in range(len(text) + 1)]
    missing = {left + character + right for left, right in cuts for character in ALPHABET}
    wrong = {left + character + right[1:] for left, right in cuts if right for character in ALPHABET}
    additional = {left + right[1:] for left, right in cuts if right}
    swapped = {left + right[1] + right[0] + right[2:] for left, right in cuts if len(right) > 1}
    return (missing | wrong | additional | swapped) - {text}


def _spellings(text: str) -> Iterator[str]:
    choices = [_MEANT_BY.get(character, character) for character in text]
    count = 1
    for choice in choices:
        count *= len(choice)
    if count <= _MOST_SPELLINGS:
        yield from map("".join, product(*choices))
    else:
        yield text


def _words(text: str) -> Iterator[str]:
    """The text's words; what is invisible does not part them."""
    seen = "".join(c for c in text[:_LONGEST_READ] if unicodedata.category(c) not in {"Cf", "Mn"})
    return iter(re.split(r"[\W_]+", seen))


def _plain(text: str) -> Iterator[str]:
    for character in text:
        for upper in character.upper():
            if upper.isascii() and upper.isalnum():
                yield upper
            elif (digit := unicodedata.decimal(upper, None)) is not None:
                yield str(digit)


def _double(value: int) -> int:
    """The value times x in GF(32)."""
    value <<= 1
    return value ^ _FIELD if value & 32 else value
