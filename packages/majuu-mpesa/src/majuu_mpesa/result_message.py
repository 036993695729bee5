"""The envelope that all results share, in one type each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from majuu_core.common.money import Money
from majuu_core.providers import WebhookRejected
from majuu_mpesa.codes import code_text
from majuu_mpesa.fields import read_balance, read_id, read_receipt
from majuu_mpesa.text import plain_text, safe_raw

_MOST_PARAMETERS = 100
_DUMMY_ENDING = "0000000"  # of the TransactionID of a request that made no transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultMessage:
    """A result. ``code`` is None in the notice of a full queue, whose content nobody documents."""

    code: str | None
    kind: str | None  # ResultType: 0 is the last word, 1 is not
    description: str
    conversation_id: str | None
    originator_id: str | None
    transaction_id: str | None
    parameters: Mapping[str, tuple[Any, ...]]  # keys without spaces; a key may come twice
    raw: dict[str, Any]

    @property
    def is_interim(self) -> bool:
        """True for "wait for another message"."""
        return self.kind is not None and self.kind != "0"

    @property
    def receipt(self) -> str | None:
        """Of the transaction that was made; None instead of a dummy."""
        told = read_receipt(self.first("TransactionReceipt")) or self.transaction_id
        return None if told is None or told.endswith(_DUMMY_ENDING) else told

    def first(self, *names: str) -> Any:
        """The first value under the first of these keys that has one."""
        return next((self.parameters[name][0] for name in names if name in self.parameters), None)

    def text(self, *names: str) -> str:
        """The same as one line of plain text."""
        return plain_text(self.first(*names), limit=200)

    def text_whole(self, name: str) -> str:
        """A long text as it came; "" for anything else."""
        value = self.first(name)
        return value if isinstance(value, str) else ""

    def charge(self) -> Money | None:
        """What Safaricom kept, from "Fee For B2C Payment|KES|33.00"; None when it is not told."""
        parts = self.text("DebitPartyCharges").split("|")
        fee = read_balance(parts[2]) if len(parts) == 3 and parts[1].strip() == "KES" else None
        return fee if fee is not None and fee.amount >= 0 else None


def read_result(payload: dict[str, Any]) -> ResultMessage:
    """Parse a result. Raises WebhookRejected for a body that names no conversation."""
    inner = payload.get("Result")
    if not isinstance(inner, dict):
        raise WebhookRejected("Result is not an object")
    conversation, originator = read_id(inner.get("ConversationID")), read_id(inner.get("OriginatorConversationID"))
    if conversation is None and originator is None:
        raise WebhookRejected("ConversationID and OriginatorConversationID are missing or unreadable")
    return ResultMessage(
        code=code_text(inner.get("ResultCode")),
        kind=code_text(inner.get("ResultType")),
        description=plain_text(inner.get("ResultDesc"), limit=200),
        conversation_id=conversation,
        originator_id=originator,
        transaction_id=read_receipt(inner.get("TransactionID")),
        parameters=_parameters(inner.get("ResultParameters")),
        raw=safe_raw(payload),
    )


def _parameters(container: Any) -> dict[str, tuple[Any, ...]]:
    """Key to values: a list or a single object, entries without a value left out, "Conversation ID" as one word."""
    entries = container.get("ResultParameter") if isinstance(container, dict) else None
    found: dict[str, tuple[Any, ...]] = {}
    for entry in (entries if isinstance(entries, list) else [entries])[:_MOST_PARAMETERS]:
        if not isinstance(entry, dict) or not isinstance(entry.get("Key"), str):
            continue
        value = entry.get("Value")
        if isinstance(value, (str, int)) or hasattr(value, "is_finite"):  # text, a number, a Decimal
            key = "".join(entry["Key"].split())[:60]
            found[key] = (*found.get(key, ()), value)
    return found
