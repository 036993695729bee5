"""What a customer's telephone shows after money moved: short messages in the manner of M-Pesa's, in our own words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime

from majuu_sim.daraja.books import Movement
from majuu_sim.daraja.formats import EAT

LANGUAGES = ("en", "sw")


@dataclass(frozen=True, slots=True)
class Message:
    """One short message."""

    receipt: str
    at: datetime
    text: str

    def to_dict(self) -> dict[str, str]:
        """For the control API."""
        return {**asdict(self), "at": self.at.isoformat()}


def messages_for(msisdn: str, movements: Iterable[Movement], language: str = "en") -> list[Message]:
    """The messages of one telephone, oldest first; ValueError for a language other than ``en`` and ``sw``."""
    if language not in LANGUAGES:
        raise ValueError(f"a language is one of {', '.join(LANGUAGES)}, not {language!r}")
    return [Message(one.receipt, one.at, message_text(one, language)) for one in movements if one.msisdn == msisdn]


def message_text(movement: Movement, language: str = "en") -> str:
    """The message about one movement."""
    came_in = movement.kind in ("b2c", "reversal")
    other = (movement.payer if came_in else movement.receiver).partition(" - ")[2].upper()
    amount = f"Ksh{movement.amount:,.2f}"
    local = movement.at.astimezone(EAT)
    day, hour = f"{local.day}/{local.month}/{local:%y}", f"{local.hour % 12 or 12}:{local:%M} {local:%p}"
    account = movement.account_reference
    if language == "sw":
        towards = f" kwa akaunti {account}" if account and not came_in else ""
        verb = "imepokelewa kutoka" if came_in else "imetumwa kwa"
        return f"{movement.receipt} Imethibitishwa. {amount} {verb} {other}{towards} tarehe {day} saa {hour}."
    towards = f" for account {account}" if account and not came_in else ""
    if came_in:
        return f"{movement.receipt} Confirmed. You have received {amount} from {other} on {day} at {hour}."
    verb = "sent to" if account else "paid to"
    return f"{movement.receipt} Confirmed. {amount} {verb} {other}{towards} on {day} at {hour}."
