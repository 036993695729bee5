"""How a shop writes its order numbers, learned from those it has, so that what a customer typed can be looked up.

A customer types ord10452 or 0RD 10452, the shop wrote ORD-10452. From the shape of a number the shop did write
(``ORD-00000``) the text is written the shop's way. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from majuu_core.payments.account_references import canonical, readings

_MOST_SHAPES = 6
_MOST_SPELLINGS = 60


def shapes_of(references: Iterable[str]) -> tuple[str, ...]:
    """One example of each of the commonest shapes: letters and separators as they are, digits all alike."""
    examples: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for reference in references:
        if reference:
            shape = "".join("0" if character.isdigit() else character for character in reference)
            counts[shape] += 1
            examples.setdefault(shape, reference)
    return tuple(examples[shape] for shape, _ in counts.most_common(_MOST_SHAPES))


def possible_references(text: str, prefixes: Iterable[str], shapes: Iterable[str]) -> frozenset[str]:
    """The order numbers a customer may have meant, as shops with these prefixes and shapes would write them.

    With and without a check character at the end, and always as it was typed.
    """
    meant = dict.fromkeys(order for reading in readings(text) for order in _orders(reading, prefixes))
    written = [write_like(order, shape) for order in meant for shape in shapes]
    return frozenset([text.strip(), *meant, *(found for found in written if found)][:_MOST_SPELLINGS])


def write_like(order: str, example: str) -> str:
    """A canonical order number in the shape of another order number; "" where it does not fit."""
    if len(order) != len(canonical(example)):
        return ""
    left = iter(order)
    written = []
    for character in example:
        folded = canonical(character)
        if len(folded) != 1:  # a separator, or a letter that becomes two
            written.append(character)
            continue
        typed = next(left, "")
        written.append(character if typed == folded else typed if character.isdigit() == typed.isdigit() else "")
        if not written[-1]:
            return ""
    return "".join(written) if next(left, None) is None else ""


def _orders(reading: str, prefixes: Iterable[str]) -> Iterator[str]:
    for prefix in ("", *prefixes):
        start = canonical(prefix)
        order = reading.removeprefix(start)
        if reading.startswith(start) and order:
            yield order
            if len(order) > 1:
                yield order[:-1]
