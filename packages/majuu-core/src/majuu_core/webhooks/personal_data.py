"""Messages from providers and calls to them, word for word: they name payers, and are kept for a while as evidence."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence

from django.db.models import Q

from majuu_core.common import ids
from majuu_core.configuration import retention
from majuu_core.payments.models import Charge, ProviderCall
from majuu_core.payments.representation import represent_time
from majuu_core.plugins.personal_data import Identity, PersonalData, PersonalRecord
from majuu_core.webhooks.models import InboundWebhook

_CALL = "pc"  # calls have no public id of their own: this names them here
_WHY = "What providers wrote is kept as evidence for {} days (MAJUU_RETENTION)."


def _charges(related: frozenset[str]) -> list[uuid.UUID]:
    return [Charge.uuid_of(name) for name in related if name.startswith(f"{Charge.id_prefix}_")]


def _why() -> str:
    return _WHY.format(retention("messages").days)


def _find_messages(identity: Identity, related: frozenset[str]) -> Iterable[PersonalRecord]:
    wanted = Q(charge__in=_charges(related)) | Q(subject_id__in=sorted(related))
    for row in InboundWebhook.objects.filter(wanted).order_by("pk"):
        text = bytes(row.body).decode("utf-8", "replace")
        yield PersonalRecord(
            id=row.public_id,
            kind="Message from a provider",
            data={"body": text, "query": row.query, "received_at": represent_time(row.received_at)},
            keep_until=row.received_at + retention("messages"),
            keep_reason=_why(),
        )


def _erase_messages(names: Sequence[str]) -> int:
    rows = InboundWebhook.objects.filter(pk__in=[InboundWebhook.uuid_of(name) for name in names])
    return rows.update(body=b"", query={}, headers={})


def _find_calls(identity: Identity, related: frozenset[str]) -> Iterable[PersonalRecord]:
    wanted = Q(charge__in=_charges(related)) | Q(about__in=sorted(related))
    for row in ProviderCall.objects.filter(wanted).order_by("pk"):
        yield PersonalRecord(
            id=ids.encode_id(_CALL, row.pk),
            kind="Call to a provider",
            data={
                "operation": row.operation,
                "request": row.request_body,
                "response": row.response_body,
                "started_at": represent_time(row.started_at),
            },
            keep_until=row.started_at + retention("messages"),
            keep_reason=_why(),
        )


def _erase_calls(names: Sequence[str]) -> int:
    rows = ProviderCall.objects.filter(pk__in=[ids.decode_id(_CALL, name) for name in names])
    return rows.update(request_body="", response_body="", url="", request_headers={}, error="")


MESSAGES = PersonalData(
    name="webhooks.messages", label="Messages from providers", find=_find_messages, erase=_erase_messages
)
CALLS = PersonalData(name="webhooks.calls", label="Calls to providers", find=_find_calls, erase=_erase_calls)
