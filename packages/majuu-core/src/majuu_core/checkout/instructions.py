"""How to pay by hand, laid out: every line by itself, so that it can be copied, in the customer's language."""

from __future__ import annotations

from dataclasses import dataclass

from majuu_core.checkout.texts import Texts
from majuu_core.payments.models import Charge

_LINES = ("bank_name", "branch", "account_name", "account_number", "iban", "swift")
_COPIED = frozenset({"account_number", "iban", "swift", "account_name"})


@dataclass(frozen=True, slots=True, kw_only=True)
class InstructionLine:
    """One fact. ``copied`` is what goes into the clipboard, "" where nobody needs to type it."""

    label: str
    value: str
    copied: str = ""
    is_number: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Instructions:
    """What the page shows. ``text`` stands for all of it where a provider tells nothing but text."""

    lines: tuple[InstructionLine, ...]
    text: str
    note: str
    kind: str  # "bank_transfer" | "cash" | "": a provider's own


def read_instructions(charge: Charge | None, texts: Texts, amount: str) -> Instructions | None:
    """What the charge's next action tells; None when it is none of these. ``amount`` is what remains to be paid."""
    action = (charge.next_action or {}) if charge else {}
    if action.get("type") != "display_instructions":
        return None
    data = {str(name): str(value) for name, value in dict(action.get("data", {})).items()}
    kind = data.get("method", "") if data.get("method") in ("bank_transfer", "cash") else ""
    lines = [
        InstructionLine(
            label=getattr(texts, name),
            value=data[name],
            copied=data[name] if name in _COPIED else "",
            is_number=name in ("account_number", "iban", "swift"),
        )
        for name in _LINES
        if kind == "bank_transfer" and data.get(name)
    ]
    if kind:
        lines.append(InstructionLine(label=texts.amount, value=amount))
    if reference := data.get("reference", ""):
        copied = reference if kind else ""
        lines.append(
            InstructionLine(label=texts.instructions_reference, value=reference, copied=copied, is_number=True)
        )
    text = "" if kind else data.get("text", "")
    return Instructions(lines=tuple(lines), text=text, note=data.get("note", "") if kind else "", kind=kind)
