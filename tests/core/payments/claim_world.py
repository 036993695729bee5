"""A labelled month of a shared paybill: shops, orders, and people who pay them as people do.

Seeded. Every payment carries the order it is really for, or none. What people do is modelled on what they do, not on
how suggestions are scored: a payment is made first, with a purpose, a phone, a finger that slips and a habit of
typing; the label is the purpose. Some of it is meant to deceive: namesakes with the right amount, numbers of other
shops and of old orders, meters of other companies, siblings who pay for each other, five who buy the same thing in
the same minute.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from majuu_core.payments.account_references import MAX_PAYBILL, ReferenceRefused, suggest_account_reference
from tests.core.payments.claim_people import FIRST, LAST, Person, make_people

PRICES = (200, 500, 500, 1000, 1000, 1000, 1500, 1500, 2000, 2500, 999, 1499, 3000, 5000)
WORDS = ("acc", "Akaunti", "INVOICE", "order no", "oda", "malipo ya", "ref:", "for")
NOTHING = ("", "", "0", "1", "shoes", "school fees", "mzigo", "pay", "MALIPO", "none", "deposit", "n/a")


@dataclass(frozen=True)
class Shop:
    """A store; ``numbers`` says how it numbers its orders."""

    name: str
    prefix: str
    numbers: str
    first_number: int


SHOPS = (
    Shop("Duka", "DUKA", "ORD-{:05d}", 10400),
    Shop("Soko", "SOKO", "{:05d}", 10400),
    Shop("Kitu", "KITU", "INV/26/{:04d}", 310),
    Shop("Mali", "", "M{:04d}", 7000),
    Shop("Chama", "", "{:05d}", 10420),  # the same numbers as Soko, and no prefix
    Shop("Kazi", "KAZI", "", 0),  # random codes
)
CODES = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass
class Order:
    """What somebody owes. ``state`` is open, expired, canceled or paid."""

    number: int
    shop: Shop
    reference: str
    amount: Decimal
    person: Person
    made_at: datetime
    state: str = "open"
    tells_name: bool = False
    tells_phone: bool = False


@dataclass(frozen=True)
class Payment:
    """Money on the paybill, as M-Pesa tells of it, and the order it is for; None when it is for none."""

    kind: str
    order: Order | None
    amount: Decimal
    text: str
    name: str
    phone: str
    phone_hash: str
    phone_masked: str
    paid_at: datetime


@dataclass
class Month:
    """Everything that happened."""

    orders: list[Order] = field(default_factory=list)
    payments: list[Payment] = field(default_factory=list)


class Generator:
    """Makes one month from a seed."""

    def __init__(self, seed: int, start: datetime, households: int = 350) -> None:
        self.source = random.Random(seed)
        self.start = start
        self.people = make_people(self.source, households)
        self.families: dict[int, list[Person]] = {}
        for person in self.people:
            self.families.setdefault(person.household, []).append(person)
        self.counters = {shop.name: shop.first_number for shop in SHOPS}
        self.month = Month()

    def run(self, orders: int) -> Month:
        for _ in range(orders):
            self._purchase()
        for _ in range(orders // 8):
            self._money_for_nobody()
        for _ in range(orders // 60):
            self._rush()
            self._twice_the_same()
            self._namesake()
        return self.month

    # Orders

    def _order(self, person: Person, at: datetime, amount: int | None = None, shop: Shop | None = None) -> Order:
        source, shop = self.source, shop or self.source.choice(SHOPS)
        self.counters[shop.name] += 1
        code = "".join(source.choice(CODES) for _ in range(6))
        reference = shop.numbers.format(self.counters[shop.name]) if shop.numbers else code
        cost = amount or (source.choice(PRICES) if source.random() < 0.6 else source.randrange(50, 9000))
        order = Order(len(self.month.orders), shop, reference, Decimal(cost), person, at)
        order.tells_name, order.tells_phone = source.random() < 0.5, source.random() < 0.7
        self.month.orders.append(order)
        return order

    def _moment(self) -> datetime:
        return self.start + timedelta(minutes=self.source.randrange(18 * 24 * 60))

    def _purchase(self) -> None:
        source = self.source
        order = self._order(source.choice(self.people), self._moment())
        chance = source.random()
        if chance < 0.12:
            order.state = "paid"  # by a prompt on the phone
        elif chance < 0.22:
            order.state = source.choice(("open", "expired", "canceled"))  # and never paid
        else:
            self._pay(order)

    def _old_order(self, person: Person, before: datetime, shop: Shop) -> Order:
        old = self._order(person, before - timedelta(days=self.source.randrange(3, 15)), shop=shop)
        old.state = self.source.choice(("paid", "paid", "expired"))
        return old

    # Payments

    def _pay(self, order: Order) -> None:
        chance = self.source.random()
        if chance < 0.04:
            text = self._typed(self._old_order(order.person, order.made_at, order.shop))
            return self._send("old number", order, text=text)
        if chance < 0.06:
            other = self.source.choice([shop for shop in SHOPS if shop is not order.shop and shop.prefix])
            return self._send("another shop's prefix", order, text=f"{other.prefix} {order.reference}")
        if chance < 0.08:
            number = order.number - self.source.randrange(1, 5)
            return self._send("number of somebody else", order, text=self._typed(self.month.orders[max(number, 0)]))
        return self._send("ordinary", order)

    def _send(self, kind: str, order: Order, *, text: str | None = None, at: datetime | None = None) -> None:
        payer, amount = self._payer(order), self._amount(order.amount)
        at = at or order.made_at + self._delay()
        if at - order.made_at > timedelta(days=1) and order.state == "open":
            order.state = self.source.choice(("open", "expired"))
        text = self._text(order, payer) if text is None else text
        self._record(kind, order, payer, amount, text, at)

    def _record(self, kind: str, order: Order | None, payer: Person, amount: Decimal, text: str, at: datetime) -> None:
        source = self.source
        plain = source.random()
        hashed = hashlib.sha256(payer.phone.encode()).hexdigest()
        name = payer.first if source.random() < 0.45 else f"{payer.first} {payer.middle} {payer.last}"
        payment = Payment(
            kind=kind,
            order=order,
            amount=amount,
            text=text[:MAX_PAYBILL],
            name=name.upper(),
            phone=payer.phone if plain < 0.1 else "",
            phone_hash=hashed if 0.1 <= plain < 0.4 else "",
            phone_masked=f"{payer.phone[:4]} ***** {payer.phone[-3:]}" if plain >= 0.4 else "",
            paid_at=at,
        )
        self.month.payments.append(payment)

    def _payer(self, order: Order) -> Person:
        chance = self.source.random()
        family = self.families[order.person.household]
        if chance < 0.12:
            return self.source.choice(family)
        return self.source.choice(self.people) if chance < 0.18 else order.person

    def _delay(self) -> timedelta:
        chance = self.source.random()
        if chance < 0.02:
            return -timedelta(minutes=self.source.randrange(1, 40))
        if chance < 0.75:
            return timedelta(seconds=self.source.randrange(20, 2400))
        return timedelta(minutes=self.source.randrange(40, 3 * 24 * 60))

    def _amount(self, owed: Decimal) -> Decimal:
        source, chance = self.source, self.source.random()
        if chance < 0.86:
            return owed
        if chance < 0.90:
            return Decimal(-(-int(owed) // 50) * 50)
        if chance < 0.93:
            return max(owed - source.choice((7, 13, 23, 33)), Decimal(1))
        if chance < 0.96:
            return max(owed // source.choice((2, 3)), Decimal(1))
        return Decimal(slip(source, str(int(owed)), "0123456789").lstrip("0") or "1")

    # What they type

    def _text(self, order: Order, payer: Person) -> str:
        chance = self.source.random()
        if chance < 0.42:
            return self._printed(order)
        if chance < 0.72:
            return self._typed(order)
        if chance < 0.80:
            return self.source.choice((payer.first, payer.name, order.person.name, order.person.first.lower()))
        if chance < 0.86:
            return self.source.choice((payer.phone, f"0{payer.phone[3:]}", f"0{order.person.phone[3:]}"))
        return self.source.choice(NOTHING)

    def _printed(self, order: Order) -> str:
        """What stood on the invoice, with its check character."""
        try:
            text = suggest_account_reference(order.shop.prefix, order.reference)
        except ReferenceRefused:
            text = order.reference
        return self._fingers(text, slips=0.06)

    def _typed(self, order: Order) -> str:
        """The order number from the shop's mail, with or without the shop's name."""
        text = order.reference
        if order.shop.prefix and self.source.random() < 0.4:
            text = f"{order.shop.prefix}{self.source.choice(' -')}{text}"
        if self.source.random() < 0.15:
            text = "".join(character for character in text if character.isdigit()) or text
        return self._fingers(text, slips=0.08)

    def _fingers(self, text: str, slips: float) -> str:
        source = self.source
        if source.random() < slips:
            text = slip(source, text, "0123456789ABCDEFGHKMNORSTW")
        if source.random() < 0.15:
            text = text.replace("0", "O").replace("1", "I") if source.random() < 0.5 else text.replace("O", "0")
        if source.random() < 0.35:
            text = text.lower()
        if source.random() < 0.2:
            text = text.replace("-", source.choice((" ", "", ".", "/")))
        if source.random() < 0.1:
            at = source.randrange(len(text) + 1)
            text = text[:at] + source.choice((" ", "-", "\u200b", "\u202e")) + text[at:]
        if source.random() < 0.12:
            text = f"{source.choice(WORDS)} {text}"
        return f"{text} {source.choice(FIRST).lower()}" if source.random() < 0.05 else text

    # What is for nobody, or hard to tell

    def _money_for_nobody(self) -> None:
        source, payer = self.source, self.source.choice(self.people)
        near = source.choice(self.month.orders)
        amount = source.choice(PRICES) if source.random() < 0.7 else source.randrange(50, 9000)
        text = source.choice(
            [
                f"{source.randrange(10**10, 10**11)}",  # an electricity meter: the wrong paybill
                slip(source, near.reference, "0123456789"),
                source.choice(NOTHING),
                f"{source.choice(LAST)} {source.randrange(100)}",
                f"{source.choice(('KPLC', 'NHIF', 'ZUKU'))} {source.randrange(10000)}",
            ]
        )
        self._record("for nobody", None, payer, Decimal(amount), text, near.made_at + timedelta(minutes=3))

    def _rush(self) -> None:
        """Five people buy the same thing within a minute; some pay, with nothing typed."""
        shop, at, price = self.source.choice(SHOPS), self._moment(), self.source.choice(PRICES)
        rush = [self._order(person, at, price, shop) for person in self.source.sample(self.people, 5)]
        for order in self.source.sample(rush, 3):
            text = self.source.choice(("", "shoes", order.person.first))
            self._send("rush", order, text=text, at=at + timedelta(minutes=4))

    def _twice_the_same(self) -> None:
        """One customer has two orders of the same amount and pays one of them, without a number."""
        person, at, price = self.source.choice(self.people), self._moment(), self.source.choice(PRICES)
        shop = self.source.choice(SHOPS)
        pair = [self._order(person, at + timedelta(minutes=minutes), price, shop) for minutes in (0, 9)]
        text = self.source.choice(("", person.first, f"0{person.phone[3:]}"))
        self._send("twice the same", self.source.choice(pair), text=text, at=at + timedelta(minutes=20))

    def _namesake(self) -> None:
        """The right amount at the right time by somebody of the same name, for another company."""
        order = self.source.choice(self.month.orders)
        twin = order.person
        other = Person(twin.first, twin.middle, twin.last, f"2547{self.source.randrange(10**8):08d}", "", -1)
        text = f"{self.source.choice(('KPLC', 'ZUKU', 'RENT'))}{self.source.randrange(1000, 9999)}"
        self._record("namesake", None, other, order.amount, text, order.made_at + timedelta(minutes=6))


def slip(source: random.Random, text: str, alphabet: str) -> str:
    """The text with one wrong, missing, additional or swapped character."""
    at = source.randrange(len(text))
    return source.choice(
        [
            text[:at] + source.choice(alphabet) + text[at + 1 :],
            text[:at] + text[at + 1 :],
            text[:at] + source.choice(alphabet) + text[at:],
            text[:at] + text[at + 1 : at + 2] + text[at] + text[at + 2 :],
        ]
    )
