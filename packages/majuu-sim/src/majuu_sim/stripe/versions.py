"""How older API versions show the same objects."""

from __future__ import annotations

import copy
import re

from majuu_sim.stripe.book import Book, list_of, refunds_of
from majuu_sim.stripe.config import LATEST_CHARGE_SINCE
from majuu_sim.stripe.errors import Obj, StripeRefusal

_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(\.[a-z]+)?")
CHARGES_DATA = "charges_data"
SHAPES = frozenset([CHARGES_DATA])


def check(version: str | None) -> None:
    """A refusal for what is no version."""
    if version is not None and _VERSION.fullmatch(version) is None:
        raise StripeRefusal(400, f"Invalid Stripe API version: {version[:40]}", began=False)


def is_old(version: str) -> bool:
    """True before payment intents had a ``latest_charge``."""
    return version[:10] < LATEST_CHARGE_SINCE


def event_for(book: Book, event: Obj, version: str, shape: str | None) -> Obj:
    """The event as an endpoint of this version gets it; ``shape`` overrules the version."""
    made = copy.deepcopy(event)
    made["api_version"] = version
    if is_old(version) or shape == CHARGES_DATA:
        made["data"]["object"] = older(book, made["data"]["object"])
    return made


def older(book: Book, shown: Obj) -> Obj:
    """A payment intent with its charges, a charge with its refunds; anything else as it is."""
    made = copy.deepcopy(shown)
    if made.get("object") == "payment_intent":
        charges = [older(book, one) for one in reversed(book.where("charge", payment_intent=made["id"]))]
        made["charges"] = list_of(charges, f"/v1/charges?payment_intent={made['id']}")
        made.pop("latest_charge", None)
    elif made.get("object") == "charge":
        made["refunds"] = refunds_of(book, made)
    elif made.get("object") == "list":
        made["data"] = [older(book, one) for one in made["data"]]
    return made
