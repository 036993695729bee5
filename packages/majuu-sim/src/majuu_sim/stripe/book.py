"""What one account has: its objects by id, and what the API does not show of them."""

from __future__ import annotations

import copy
import random
import string
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from majuu_sim.clock import Clock
from majuu_sim.faults import FaultScript
from majuu_sim.stripe import errors
from majuu_sim.stripe.cards import Card
from majuu_sim.stripe.config import Endpoint, StripeAccount
from majuu_sim.stripe.errors import Obj
from majuu_sim.stripe.params import Params

ORDINARY = FaultScript()
_LETTERS = string.ascii_letters + string.digits
MOST = 100


@dataclass(slots=True)
class Note:
    """What the simulator knows of an object besides what it shows."""

    script: FaultScript = ORDINARY
    card: Card | None = None
    reads: dict[str, int] = field(default_factory=dict)
    session: str | None = None  # the checkout session a payment intent belongs to
    request: Obj = field(default_factory=dict)  # what a checkout session was asked to do
    spent: bool = False  # a card that may not be used again: let go, or used without having been saved
    set_up: bool = False  # a saved card that was authenticated once
    content: bytes = b""


class Book:
    """One account's objects. Lives on the simulator's loop."""

    def __init__(self, account: StripeAccount, *, clock: Clock, rng: random.Random) -> None:
        """Start empty."""
        self.account = account
        self.endpoints: list[Endpoint] = list(account.endpoints)
        self._clock = clock
        self._rng = rng
        self._objects: dict[str, Obj] = {}
        self._by_kind: dict[str, dict[str, Obj]] = {}
        self._notes: dict[str, Note] = {}

    def clear(self) -> None:
        """Forget every object; endpoints are as at the start."""
        self._objects.clear()
        self._by_kind.clear()
        self._notes.clear()
        self.endpoints = list(self.account.endpoints)

    def now(self) -> int:
        """The simulator's time in whole seconds."""
        return int(self._clock.now().timestamp())

    def new_id(self, prefix: str, length: int = 24) -> str:
        """An id nobody has."""
        return f"{prefix}_{''.join(self._rng.choices(_LETTERS, k=length))}"

    def add(self, made: Obj, note: Note | None = None) -> Obj:
        """Keep an object."""
        self._objects[made["id"]] = made
        self._by_kind.setdefault(made["object"], {})[made["id"]] = made
        if note is not None:
            self._notes[made["id"]] = note
        return made

    def note(self, object_id: str) -> Note:
        """What is known besides."""
        return self._notes.setdefault(object_id, Note())

    def remove(self, object_id: str) -> None:
        """Take an object away."""
        gone = self._objects.pop(object_id)
        del self._by_kind[gone["object"]][object_id]

    def find(self, object_id: str | None) -> Obj | None:
        """The object of an id, if there is one."""
        return self._objects.get(object_id) if object_id is not None else None

    def get(self, kind: str, object_id: str, *, param: str = "id", status: int = 404) -> Obj:
        """The object of an id and kind; a refusal when there is none."""
        found = self._objects.get(object_id)
        if found is None or found["object"] != kind:
            raise errors.no_such(kind, object_id, param, status)
        return found

    def all(self, kind: str) -> list[Obj]:
        """Every object of a kind, oldest first."""
        return list(self._by_kind.get(kind, {}).values())

    def where(self, kind: str, **fields: Any) -> list[Obj]:
        """The objects of a kind with these values, oldest first."""
        return [one for one in self.all(kind) if all(one.get(key) == value for key, value in fields.items())]

    def page(self, kind: str, url: str, params: Params, keep: Callable[[Obj], bool]) -> Obj:
        """A list answer: newest first, ``limit``, ``starting_after``, ``ending_before``, ``created``."""
        limit = limit_of(params)
        created = _range_of(params)
        found = [one for one in reversed(self.all(kind)) if keep(one) and created(one["created"])]
        start, before = params.text("starting_after"), params.text("ending_before")
        if start is not None:
            found = found[_place(found, self.get(kind, start, param="starting_after", status=400)) + 1 :]
        if before is not None:
            found = found[: _place(found, self.get(kind, before, param="ending_before", status=400))]
            return list_of(found[-limit:], url, more=len(found) > limit)
        return list_of(found[:limit], url, more=len(found) > limit)


def limit_of(params: Params) -> int:
    """How many objects a page may have; a refusal for none and for more than a hundred."""
    limit = params.whole("limit")
    if limit is None:
        return 10
    if not 1 <= limit <= MOST:
        raise errors.invalid("limit", "This value must be between 1 and 100.", "parameter_invalid_integer")
    return limit


def _place(found: list[Obj], wanted: Obj) -> int:
    places = [index for index, one in enumerate(found) if one["id"] == wanted["id"]]
    return places[0] if places else -1


def _range_of(params: Params) -> Callable[[int], bool]:
    if isinstance(params.data.get("created"), str):
        exact = params.whole("created")
        return lambda moment: exact is None or moment == exact
    wanted = params.part("created").only("gt", "gte", "lt", "lte")
    after, at_least, before, at_most = (wanted.whole(name) for name in ("gt", "gte", "lt", "lte"))

    def fits(moment: int) -> bool:
        return (
            (after is None or moment > after)
            and (at_least is None or moment >= at_least)
            and (before is None or moment < before)
            and (at_most is None or moment <= at_most)
        )

    return fits


def list_of(found: Iterable[Obj], url: str, *, more: bool = False) -> Obj:
    """A list object."""
    return {"object": "list", "data": list(found), "has_more": more, "url": url}


# Fields that hold an id and can be expanded.
EXPANDABLE = frozenset(
    "latest_charge balance_transaction payment_intent setup_intent customer payment_method charge source payout"
    " failure_balance_transaction destination default_payment_method latest_attempt file review invoice application"
    " on_behalf_of mandate".split()
)


def expand(book: Book, shown: Obj, paths: Iterable[str]) -> Obj:
    """A copy of ``shown`` with the objects of ``paths`` instead of their ids; a refusal for what cannot be expanded."""
    made = copy.deepcopy(shown)
    for path in paths:
        if path.count(".") > 3:
            raise errors.invalid("expand", f"You cannot expand more than 4 levels of a property. Property: {path}")
        _expand(book, made, path.split("."), path)
    return made


def _expand(book: Book, here: Any, steps: list[str], path: str) -> None:
    if isinstance(here, list):
        for one in here:
            _expand(book, one, steps, path)
        return
    step, rest = steps[0], steps[1:]
    if not isinstance(here, dict) or (step not in here and step not in _EXTRA.get(here.get("object", ""), {})):
        raise errors.invalid("expand[0]", f"This property cannot be expanded ({path}).")
    if step not in here:
        here[step] = _EXTRA[here["object"]][step](book, here)
    value = here[step]
    if isinstance(value, str):
        found = book.find(value) if step in EXPANDABLE else None
        if found is None:
            raise errors.invalid("expand[0]", f"This property cannot be expanded ({path}).")
        here[step] = value = copy.deepcopy(found)
    elif value is not None and not isinstance(value, dict | list):
        raise errors.invalid("expand[0]", f"This property cannot be expanded ({path}).")
    if rest and value is not None:
        _expand(book, value, rest, path)


def refunds_of(book: Book, charge: Obj) -> Obj:
    """A charge's refunds, newest first."""
    found = reversed(book.where("refund", charge=charge["id"]))
    return list_of([copy.deepcopy(one) for one in found], f"/v1/charges/{charge['id']}/refunds")


def _line_items(book: Book, session: Obj) -> Obj:
    items = book.note(session["id"]).request.get("items", [])
    return list_of(copy.deepcopy(items), f"/v1/checkout/sessions/{session['id']}/line_items")


_EXTRA: dict[str, dict[str, Callable[[Book, Obj], Obj]]] = {
    "charge": {"refunds": refunds_of},
    "checkout.session": {"line_items": _line_items},
}
