"""Reads what Daraja says at once to a request whose result comes later: taken, refused, or nobody knows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from majuu_core.providers import OutcomeUnknown, RequestRejected
from majuu_core.providers.http import Answer
from majuu_mpesa.answers import refusal
from majuu_mpesa.codes import SUCCESS, code_text
from majuu_mpesa.fields import read_id
from majuu_mpesa.text import plain_text, safe_raw


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Daraja took the request. ``conversation_id`` is its own id for it, ``originator_id`` ours or another."""

    conversation_id: str
    originator_id: str | None
    raw: dict[str, Any]


def acknowledged(answer: Answer) -> Acknowledgement:
    """The ids in an acceptance. Raises what ``refusal`` says, and OutcomeUnknown for whatever cannot be read."""
    if answer.status != 200:
        raise refusal(answer)
    body = answer.json()
    code = code_text(body.get("ResponseCode")) if isinstance(body, dict) else None
    if code is None:
        raise OutcomeUnknown("M-Pesa answered HTTP 200 with a body that is not Daraja's")
    conversation, originator = read_id(body.get("ConversationID")), read_id(body.get("OriginatorConversationID"))
    said = plain_text(body.get("ResponseDescription"), limit=200)
    if code != SUCCESS and conversation is None and originator is None:
        raise RequestRejected(f"M-Pesa refused the request: {said}", code=code)
    named = conversation or originator
    if code != SUCCESS or named is None:
        raise OutcomeUnknown(f"M-Pesa answered with the code {code} and {'an' if named else 'no'} id: {said}")
    return Acknowledgement(named, originator, safe_raw(body))
