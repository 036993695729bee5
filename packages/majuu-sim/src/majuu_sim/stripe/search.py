"""Search by metadata and simple fields, in the part of Stripe's query language that payments need."""

from __future__ import annotations

import re
from collections.abc import Callable

from majuu_sim.stripe import errors
from majuu_sim.stripe.book import Book, limit_of
from majuu_sim.stripe.config import StripeConfig
from majuu_sim.stripe.errors import Obj
from majuu_sim.stripe.params import Params

_QUOTED = r"(?:'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\")"
_METADATA = re.compile(rf"metadata\[{_QUOTED}\]\s*:\s*{_QUOTED}")
_FIELD = re.compile(rf"(status|currency|customer|email)\s*:\s*{_QUOTED}")
_NUMBER = re.compile(r"(created|amount)\s*(:|>=|<=|>|<)\s*(\d+)")
_AND = re.compile(r"\s+AND\s+", re.IGNORECASE)
COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    ":": lambda one, two: one == two,
    ">": lambda one, two: one > two,
    "<": lambda one, two: one < two,
    ">=": lambda one, two: one >= two,
    "<=": lambda one, two: one <= two,
}


class Searcher:
    """Finds payment intents and customers. What is younger than the search's lag is not found yet."""

    def __init__(self, config: StripeConfig) -> None:
        """The lag is the settings'."""
        self._config = config

    def payments(self, book: Book, params: Params) -> Obj:
        """GET /v1/payment_intents/search."""
        return self._search(book, "payment_intent", "/v1/payment_intents/search", params)

    def customers(self, book: Book, params: Params) -> Obj:
        """GET /v1/customers/search."""
        return self._search(book, "customer", "/v1/customers/search", params)

    def _search(self, book: Book, kind: str, url: str, params: Params) -> Obj:
        params.only("query", "limit", "page", "expand")
        fits = _test_of(params.need_text("query"))
        limit = limit_of(params)
        visible = book.now() - self._config.search_lag
        found = [one for one in reversed(book.all(kind)) if one["created"] <= visible and fits(one)]
        start = params.whole("page") or 0
        if start < 0:
            raise errors.invalid("page", "This is no page that a search has named.")
        more = len(found) > start + limit
        return {
            "object": "search_result",
            "data": found[start : start + limit],
            "has_more": more,
            "next_page": str(start + limit) if more else None,
            "url": url,
        }


def _test_of(query: str) -> Callable[[Obj], bool]:
    tests = [_clause(part.strip()) for part in _AND.split(query)]
    return lambda one: all(test(one) for test in tests)


def _clause(text: str) -> Callable[[Obj], bool]:
    if (found := _METADATA.fullmatch(text)) is not None:
        key, value = (_plain(found, first) for first in (1, 3))
        return lambda one: one["metadata"].get(key) == value
    if (found := _FIELD.fullmatch(text)) is not None:
        name, wanted = found.group(1), _plain(found, 2)
        return lambda one: one.get(name) == wanted
    if (found := _NUMBER.fullmatch(text)) is not None:
        name, compare, number = found.group(1), COMPARISONS[found.group(2)], int(found.group(3))
        return lambda one: compare(one.get(name, 0), number)
    raise errors.invalid("query", f"We were unable to parse your search query: {text[:100]}")


def _plain(found: re.Match[str], first: int) -> str:
    text = found.group(first) if found.group(first) is not None else found.group(first + 1)
    return re.sub(r"\\(.)", r"\1", text)
