"""The people with telephones: their purses, their names, their habits, and who of them is being played by hand."""

from __future__ import annotations

import time
from dataclasses import replace

from majuu_sim.daraja.config import DarajaConfig
from majuu_sim.daraja.magic import magic_script, payout_magic_script
from majuu_sim.daraja.records import Subscriber
from majuu_sim.daraja.results import MANUAL
from majuu_sim.faults import FaultScript


def split_names(names: str) -> tuple[str, str, str]:
    """First, middle and last name; what is between the first and the last word is the middle."""
    words = names.split()
    if len(words) < 2:
        return (words[0] if words else "", "", "")
    return words[0], " ".join(words[1:-1]), words[-1]


def fitting(script: FaultScript, known: frozenset[str]) -> FaultScript:
    """``script`` without the outcomes this kind of request cannot have."""

    def kept(outcome: str | None) -> str | None:
        return outcome if outcome in known else None

    return replace(
        script,
        outcome=kept(script.outcome),
        event_outcome=kept(script.event_outcome),
        stale_outcome=kept(script.stale_outcome),
        read_outcome=kept(script.read_outcome),
    )


class Customers:
    """Everybody who has an M-Pesa line. Nobody needs to be set up: unknown numbers have the configured purse."""

    def __init__(self, config: DarajaConfig) -> None:
        """Nobody is known yet."""
        self._config = config
        self.known: dict[str, Subscriber] = {}
        self._in_hand: dict[str, float] = {}

    def clear(self) -> None:
        """Forget everybody."""
        self.known.clear()
        self._in_hand.clear()

    def balance_of(self, msisdn: str) -> int | None:
        """What is in the purse, in shillings; None: enough for anything."""
        known = self.known.get(msisdn)
        return known.balance if known is not None else self._config.default_balance

    def can_pay(self, msisdn: str, amount: int) -> bool:
        """True when the purse holds it."""
        balance = self.balance_of(msisdn)
        return balance is None or balance >= amount

    def has_room(self, msisdn: str, amount: int) -> bool:
        """True when receiving it would not put the purse above the limit."""
        balance = self.balance_of(msisdn)
        return balance is None or balance + amount <= self._config.customer_limit

    def change(self, msisdn: str, amount: int) -> None:
        """Put shillings in, or take them out (negative)."""
        balance = self.balance_of(msisdn)
        if balance is not None:
            self.known.setdefault(msisdn, Subscriber(msisdn)).balance = balance + amount

    def is_registered(self, msisdn: str) -> bool:
        """True for everybody but those set up as having no M-Pesa."""
        known = self.known.get(msisdn)
        return known is None or known.registered

    def names_of(self, msisdn: str) -> str:
        """The name the line is registered to."""
        known = self.known.get(msisdn)
        return (known.names if known is not None else "") or self._config.default_names

    def public_name(self, msisdn: str) -> str:
        """As Daraja shows a party: ``254712345678 - JOHN DOE``."""
        return f"{msisdn} - {self.names_of(msisdn).upper()}"

    def habit(self, msisdn: str, *, paid_out: bool = False) -> FaultScript | None:
        """What they always do: their own script, else their magic number's."""
        known = self.known.get(msisdn)
        if known is not None and known.script is not None:
            return known.script
        if not self._config.magic_numbers:
            return None
        return (payout_magic_script(msisdn) if paid_out else None) or magic_script(msisdn)

    def take_in_hand(self, msisdn: str, seconds: float) -> None:
        """Somebody plays this telephone for the next ``seconds`` (real ones): prompts wait for them."""
        self._in_hand[msisdn] = time.monotonic() + seconds

    def put_down(self, msisdn: str) -> None:
        """Nobody plays it any more."""
        self._in_hand.pop(msisdn, None)

    def by_hand(self, msisdn: str, script: FaultScript) -> FaultScript:
        """``script``, but with the answer left to whoever plays this telephone."""
        if time.monotonic() >= self._in_hand.get(msisdn, 0.0):
            return script
        return replace(script, outcome=MANUAL, answer_after=None, event_before_reply=False)
